import type { Database } from '../db/index.ts';
import { type Caller, stillThere } from '../organizations/index.ts';

/** Milliseconds. */
const interval = 2000;

interface Watched {
  id: string;
  kind: 'key' | 'organization';
  gone: AbortController;
}

/**
 * Requests that last as long as their caller likes were allowed when they began. One question for all of them says
 * every two seconds which of their keys and organizations are still there; what goes, ends them.
 */
export class CredentialWatch {
  readonly #db: Database;
  readonly #every: () => number | undefined;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  /** @param every milliseconds, for tests. */
  constructor(db: Database, every: () => number | undefined) {
    this.#db = db;
    this.#every = every;
  }

  /** @param organizationId of which something is read. @returns a signal, until `[Symbol.dispose]`. */
  watch(caller: Caller, organizationId: string): Disposable & { gone: AbortSignal } {
    const gone = new AbortController();
    const keyId = caller.kind === 'partner' ? undefined : caller.keyId;
    const entries: Watched[] = [
      { id: organizationId, kind: 'organization', gone },
      ...(keyId === undefined ? [] : [{ id: keyId, kind: 'key', gone } as const]),
    ];
    for (const entry of entries) this.#watched.add(entry);
    this.#schedule();
    const end = () => {
      for (const entry of entries) this.#watched.delete(entry);
      if (this.#watched.size === 0) clearTimeout(this.#timer);
    };
    return { gone: gone.signal, [Symbol.dispose]: end };
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), this.#every() ?? interval).unref();
  }

  async #look(): Promise<void> {
    const watched = [...this.#watched];
    const ids = (wanted: Watched['kind']) => [
      ...new Set(watched.filter(({ kind }) => kind === wanted).map(({ id }) => id)),
    ];
    try {
      const there = await stillThere(this.#db, { keyIds: ids('key'), organizationIds: ids('organization') });
      for (const { id, gone } of watched) if (!there.has(id)) gone.abort();
    } catch {
      // Without the database nothing is sent that it would have to allow.
    }
    if (this.#watched.size > 0) this.#schedule();
  }
}
