import { hash } from 'node:crypto';
import { sql } from 'kysely';
import type { LookupRequest } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';

/** Answers of one connection that are kept at most. */
const mostAnswers = 100_000;
/** Answers after which what is too much is removed. */
const removesEvery = 5_000;

export interface CachedAnswer {
  /** JSON text; null: the service has nothing. */
  json: string | null;
}

export function digestOf({ url, headers, body }: LookupRequest): string {
  return hash('sha256', JSON.stringify([url, headers, body ?? null]), 'hex');
}

/** Answers of a service by digest, in the metadata database: all workers have the same. */
export class LookupCache {
  readonly #db: Database;
  readonly #connectionId: string;
  readonly #hours: number;
  #stored = 0;

  constructor(db: Database, connectionId: string, hours: number) {
    this.#db = db;
    this.#connectionId = connectionId;
    this.#hours = hours;
  }

  async find(digests: readonly string[]): Promise<Map<string, CachedAnswer>> {
    if (digests.length === 0) return new Map();
    const { rows } = await sql<{ digest: string; answer: string | null }>`
      select encode(digest, 'hex') as digest, answer from enrichment_cache
      where connection_id = ${this.#connectionId} and digest = any(${digests.map(toBytes)}::bytea[])
        and fetched_at > now() - make_interval(hours => ${this.#hours})`.execute(this.#db);
    return new Map(rows.map(({ digest, answer }) => [digest, { json: answer }]));
  }

  async store(answers: ReadonlyMap<string, CachedAnswer>): Promise<void> {
    if (answers.size === 0) return;
    const entries = [...answers].sort(([one], [other]) => (one < other ? -1 : 1));
    await sql`
      insert into enrichment_cache (connection_id, digest, answer)
      select ${this.#connectionId}, digest, answer from unnest(
        ${entries.map(([digest]) => toBytes(digest))}::bytea[], ${entries.map(([, { json }]) => json)}::text[]
      ) as answered (digest, answer)
      on conflict (connection_id, digest) do update set answer = excluded.answer, fetched_at = now()`.execute(
      this.#db,
    );
    this.#stored += answers.size;
    if (this.#stored >= removesEvery) await this.tidy();
  }

  /** Removes what is too old or too much. */
  async tidy(): Promise<void> {
    if (this.#stored === 0) return;
    this.#stored = 0;
    await sql`
      delete from enrichment_cache where connection_id = ${this.#connectionId} and (
        fetched_at < now() - make_interval(hours => ${this.#hours})
        or fetched_at <= (select fetched_at from enrichment_cache where connection_id = ${this.#connectionId}
          order by fetched_at desc offset ${mostAnswers} limit 1))`.execute(this.#db);
  }
}

function toBytes(digest: string): string {
  return `\\x${digest}`;
}
