import type { Logger } from 'pino';
import {
  type Clock,
  type DatabaseHandle,
  isConnectionFailure,
  listen,
  loopSessions,
  openDatabase,
  startClock,
} from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { attempt } from './attempt.ts';
import { deliveryChannel } from './channel.ts';
import { type Claimed, claimDeliveries, findDue, returnDeliveries, type Wanted } from './claim.ts';
import { Places } from './places.ts';
import { type Finished, recordAttempts } from './record.ts';
import { releaseDeliveries } from './release.ts';
import { SigningKeys } from './signing-keys.ts';
import { Turns } from './turns.ts';

export interface DeliverySettings {
  /** Waits before the retries; the first attempt plus these are all there will be. */
  retrySeconds: readonly number[];
  /** Requests in flight at most, and how many of them may go to one webhook. */
  concurrency: number;
  concurrencyPerWebhook: number;
  /** Milliseconds from the connect to the last byte of the response. */
  deadline: number;
}

export interface DeliveryDependencies {
  databaseUrl: string;
  keyRing: KeyRing;
  egress: Egress;
  log: Logger;
  workerId: string;
}

/** Milliseconds between looks for what became due, and for what dead workers left. */
const lookInterval = 1000;
const releaseInterval = 5000;

/** Gives a place back. */
type Leave = ReturnType<Places['take']>;

/** Places that a webhook's next deliveries will have, while they are claimed. */
interface Reservation extends Wanted {
  places: Leave[];
}

/** Sends queued deliveries from this process until it is stopped. */
export async function startDeliveryWorker(
  deps: DeliveryDependencies,
  settings: DeliverySettings,
): Promise<{ stop(graceMs?: number): Promise<void> }> {
  const database = openDatabase(deps.databaseUrl, 3, loopSessions);
  const clock = await startClock(database.db, deps.log);
  const worker = new DeliveryWorker(deps, settings, database, clock);
  await worker.start();
  return {
    async stop(graceMs) {
      await worker.stop(graceMs);
      await clock.stop();
      await database.close();
    },
  };
}

/**
 * Two turns go round beside the requests: one claims whatever there is room for, one records whatever has
 * finished. Each takes all that has come together since its last round, so under load their statements carry
 * many deliveries, and alone one delivery waits for nobody.
 */
class DeliveryWorker {
  readonly #deps: DeliveryDependencies;
  readonly #settings: DeliverySettings;
  readonly #database: DatabaseHandle;
  readonly #places: Places;
  readonly #sender: Parameters<typeof attempt>[0];
  /** What may have deliveries waiting, as `webhookId` in the lane of first tries or of retries. */
  readonly #waiting = { first: new Set<string>(), retry: new Set<string>() };
  readonly #sending = new Set<Promise<void>>();
  #finished: { entry: Finished; done: () => void }[] = [];
  readonly #claims: Turns;
  readonly #records: Turns;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #shutdown = new AbortController();
  #stopping = false;
  #listener: { stop(): Promise<void> } | undefined;

  constructor(
    deps: DeliveryDependencies,
    settings: DeliverySettings,
    database: DatabaseHandle,
    clock: Clock,
  ) {
    this.#deps = deps;
    this.#settings = settings;
    this.#sender = { egress: deps.egress, keys: new SigningKeys(deps.keyRing), clock, log: deps.log };
    this.#places = new Places(settings.concurrency, settings.concurrencyPerWebhook);
    this.#database = database;
    this.#claims = new Turns(() => this.#claim(), this.#failed);
    this.#records = new Turns(() => this.#record(), this.#failed);
  }

  async start(): Promise<void> {
    const { databaseUrl } = this.#deps;
    const notified = (webhookId: string) => {
      this.#waiting.first.add(webhookId);
      this.#waiting.retry.add(webhookId);
      this.#claims.request();
    };
    this.#listener = await listen(databaseUrl, { [deliveryChannel]: notified }, () => this.#look());
    this.#timers.push(
      setInterval(() => this.#look(), lookInterval),
      setInterval(() => this.#release(), releaseInterval),
    );
  }

  /** Takes nothing new; after `graceMs` requests still under way are given up and count as failed. */
  async stop(graceMs = 5000): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#listener?.stop();
    await this.#claims.idle();
    const giveUp = setTimeout(() => this.#shutdown.abort(), graceMs);
    await Promise.all(this.#sending);
    clearTimeout(giveUp);
  }

  /** All of these are tried again by themselves; a database that is away is no news every second. */
  readonly #failed = (error: unknown): void => {
    const level = isConnectionFailure(error) ? 'debug' : 'error';
    this.#deps.log[level]({ err: error }, 'webhooks.statement_failed');
  };

  #look(): void {
    findDue(this.#database.pool).then(
      (found) => {
        for (const { webhookId, retry } of found) this.#lane(retry).add(webhookId);
        if (found.length > 0) this.#claims.request();
      },
      this.#failed, // The next look comes in a second.
    );
  }

  #release(): void {
    const { retrySeconds, deadline } = this.#settings;
    releaseDeliveries(this.#database.db, { attempts: retrySeconds.length + 1, deadline }).catch(this.#failed);
  }

  #lane(retry: boolean): Set<string> {
    return retry ? this.#waiting.retry : this.#waiting.first;
  }

  /**
   * Takes every place there is, first tries before retries, and says for whom. Taken before the claim, one by one:
   * many webhooks that each have room for one more must not get more together than there is.
   */
  #reserve(): Reservation[] {
    // What has finished and cannot be recorded waits in memory: no more of it until it is on record.
    if (this.#stopping || this.#finished.length > this.#settings.concurrency) return [];
    const reservations: Reservation[] = [];
    for (const retry of [false, true]) {
      for (const webhookId of this.#lane(retry)) {
        if (this.#places.free === 0) return reservations;
        const places: Leave[] = [];
        while (this.#places.room(webhookId, retry) > 0) places.push(this.#places.take(webhookId, retry));
        if (places.length > 0) reservations.push({ webhookId, retry, count: places.length, places });
      }
    }
    return reservations;
  }

  async #claim(): Promise<void> {
    const reservations = this.#reserve();
    if (reservations.length === 0) return;
    const { pool } = this.#database;
    // A notification that arrives during the claim puts its webhook back.
    for (const { webhookId, retry } of reservations) this.#lane(retry).delete(webhookId);
    let claimed: Claimed[] = [];
    try {
      claimed = await claimDeliveries(pool, this.#deps.workerId, reservations);
      if (this.#stopping) return await returnDeliveries(pool, this.#deps.workerId, claimed);
    } catch (error) {
      for (const { webhookId, retry } of reservations) this.#lane(retry).add(webhookId);
      throw error;
    } finally {
      if (!this.#stopping) this.#startAll(claimed, reservations);
      for (const { places } of reservations) for (const leave of places) leave(undefined);
    }
    this.#claims.request();
  }

  /** Each in a place of its webhook's reservation; what is left of that afterwards was not needed. */
  #startAll(claimed: readonly Claimed[], reservations: readonly Reservation[]): void {
    const byLane = new Map(reservations.map((one) => [`${one.webhookId} ${one.retry}`, one]));
    for (const one of claimed) {
      const reservation = byLane.get(`${one.webhookId} ${one.retry}`);
      const leave = reservation?.places.pop() ?? this.#places.take(one.webhookId, one.retry);
      const work = this.#deliver(one, leave).finally(() => this.#sending.delete(work));
      this.#sending.add(work);
      // Every place was needed: there may be more. Put at the end, so that every webhook has its turn.
      if (reservation?.places.length === 0) this.#lane(one.retry).add(one.webhookId);
    }
  }

  async #deliver(claimed: Claimed, leave: Leave): Promise<void> {
    const entry = await attempt(this.#sender, this.#settings, claimed, this.#shutdown.signal);
    const recorded = new Promise<void>((done) => this.#finished.push({ entry, done }));
    this.#records.request();
    const { result } = entry;
    leave(
      result === null ? undefined : { delivered: result.error === null, durationMs: result.timing.total },
    );
    this.#claims.request();
    await recorded;
    if (entry.status === 'pending' && entry.wait < lookInterval && !this.#stopping) {
      setTimeout(() => {
        this.#waiting.retry.add(claimed.webhookId);
        this.#claims.request();
      }, entry.wait + 1);
    }
  }

  /** Nothing is tried any more: who runs this is told, since the receiver cannot be. */
  #sayExhausted({ claimed, result }: Finished): void {
    const { organizationId, webhookId, deliveryId, attempt: attempts } = claimed;
    this.#deps.log.warn(
      {
        organization_id: organizationId,
        webhook_id: webhookId,
        delivery_id: deliveryId,
        attempts,
        reason: result?.error ?? 'no attempt was recorded',
      },
      'delivery.exhausted',
    );
  }

  async #record(): Promise<void> {
    const batch = this.#finished;
    if (batch.length === 0) return;
    this.#finished = [];
    const entries = batch.map(({ entry }) => entry);
    const { pool } = this.#database;
    try {
      await recordAttempts(pool, this.#deps.workerId, entries).catch((error: unknown) => {
        if (isConnectionFailure(error)) throw error;
        // Something an endpoint answered that PostgreSQL will not keep must not hold up the others.
        this.#deps.log.error({ err: error }, 'webhooks.response_not_kept');
        return recordAttempts(pool, this.#deps.workerId, entries.map(withoutResponse));
      });
    } catch (error) {
      this.#finished = [...batch, ...this.#finished];
      throw error;
    }
    for (const { done, entry } of batch) {
      done();
      if (entry.status === 'failed') this.#sayExhausted(entry);
    }
  }
}

function withoutResponse(entry: Finished): Finished {
  if (entry.result === null) return entry;
  const error = entry.result.error === null ? null : 'the attempt failed';
  return { ...entry, result: { ...entry.result, error, headers: null, body: null } };
}
