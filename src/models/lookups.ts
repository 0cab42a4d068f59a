import { setTimeout as delay } from 'node:timers/promises';
import { type Lookup, LookupRefused, type LookupRequest } from '../connectors/index.ts';
import { eachLimited } from '../lib/each-limited.ts';
import { type CachedAnswer, digestOf, type LookupCache } from './lookup-cache.ts';

/** Waits (ms) before the second, third and fourth try of what failed in passing. */
const waits = [500, 2_000, 8_000];
/** Waits (ms) for a service that asks to wait and does not say how long: the first, and the longest. */
const firstPause = 500;
const longestPause = 30_000;
/** How long (ms) a service may ask everybody to wait without an answer to anybody. */
const patience = 300_000;
/** Requests that fail for good, one after the other, before the rest is not tried any more. */
const failuresInARow = 20;

export interface LookupCounts {
  sent: number;
  cached: number;
  nothing: number;
  failed: number;
}

/** `json` is null where the service has nothing. */
export type LookedUp = CachedAnswer | { problem: string };

/**
 * Asks a service, each thing once while its answer is fresh. As many at a time as the service is said to stand; when it
 * asks to wait, all wait.
 */
export class Lookups {
  readonly counts: LookupCounts = { sent: 0, cached: 0, nothing: 0, failed: 0 };
  readonly #lookup: Lookup;
  readonly #cache: LookupCache;
  readonly #signal: AbortSignal | undefined;
  #pausedUntil = 0;
  #failures = 0;
  /** Of which the service did not say how long, one after the other. */
  #pauses = 0;
  #busySince: number | undefined;

  constructor(lookup: Lookup, cache: LookupCache, signal: AbortSignal | undefined) {
    this.#lookup = lookup;
    this.#cache = cache;
    this.#signal = signal;
  }

  /** @returns one answer per request, in order. @throws when the service refuses everybody, or is away. */
  async answer(requests: readonly LookupRequest[]): Promise<LookedUp[]> {
    const digests = requests.map(digestOf);
    const known = new Map<string, LookedUp>(await this.#cache.find([...new Set(digests)]));
    this.counts.cached += known.size;
    const open = new Map(requests.map((request, index) => [digests[index] ?? '', request]));
    for (const digest of known.keys()) open.delete(digest);
    const fresh = new Map<string, CachedAnswer>();
    try {
      await eachLimited(open, this.#lookup.concurrency, async ([digest, request]) => {
        const answer = await this.#ask(request);
        known.set(digest, answer);
        if ('json' in answer) fresh.set(digest, answer);
      });
    } finally {
      // Also of what came before a failure: whoever starts over does not ask again.
      await this.#cache.store(fresh);
    }
    return digests.map((digest) => known.get(digest) ?? { problem: 'it was not asked' });
  }

  async #ask(request: LookupRequest): Promise<LookedUp> {
    if (request.problem !== undefined) return this.#fail(request.problem);
    this.counts.sent++;
    for (let failures = 0; ; ) {
      while (performance.now() < this.#pausedUntil) await this.#waitUntil(this.#pausedUntil);
      this.#signal?.throwIfAborted();
      const answer = await this.#lookup.send(request).catch((error: unknown) => {
        if (!(error instanceof LookupRefused)) throw error;
        throw new Error(`the enrichment service takes no request: ${error.message}`, { cause: error });
      });
      if (answer.status !== 'failed') {
        this.#failures = 0;
        this.#pauses = 0;
        this.#busySince = undefined;
        if (answer.status === 'found') return { json: answer.json };
        this.counts.nothing++;
        return { json: null };
      }
      const { reason, again, busy } = answer;
      if (again === undefined) return this.#fail(reason);
      if (busy) {
        this.#waitForService(again, reason);
        continue;
      }
      const wait = waits[failures++];
      if (wait !== undefined) {
        await this.#waitUntil(performance.now() + Math.max(wait, again));
        continue;
      }
      if (++this.#failures < failuresInARow) return this.#fail(reason);
      throw new Error(`the enrichment service failed ${failuresInARow} times in a row: ${reason}`);
    }
  }

  /** Being asked to wait is no failure of a record: of many that wait the same one may be unlucky again and again. */
  #waitForService(asked: number, reason: string): void {
    const now = performance.now();
    this.#busySince ??= now;
    // Those that were under way together are told so together.
    if (asked === 0 && now < this.#pausedUntil) return;
    const wait = asked === 0 ? Math.min(firstPause * 2 ** this.#pauses++, longestPause) : asked;
    if (now + wait - this.#busySince > patience) {
      throw new Error(
        `the enrichment service asks to wait for more than ${patience / 60_000} minutes: ${reason}`,
      );
    }
    this.#pausedUntil = Math.max(this.#pausedUntil, now + wait);
  }

  #fail(problem: string): LookedUp {
    this.counts.failed++;
    return { problem };
  }

  async #waitUntil(time: number): Promise<void> {
    const left = Math.max(0, time - performance.now());
    await delay(left, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
  }
}
