import { sql } from 'kysely';
import type { KeyAndHash } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';

/** A database handle on one connection that has the staging table. */
export type Staging = Database;

/**
 * Runs `use` with a temporary table of every record's key and hash, so that PostgreSQL does the set work and
 * memory here stays flat. The table is written without a log and goes with its connection, however that ends.
 */
export function withStaging<Result>(
  db: Database,
  use: (staging: Staging) => Promise<Result>,
): Promise<Result> {
  return db.connection().execute(async (staging) => {
    await sql`create temporary table model_sync_staging (record_key text collate "C", hash bigint not null)`.execute(
      staging,
    );
    try {
      return await use(staging);
    } finally {
      await sql`drop table model_sync_staging`.execute(staging);
    }
  });
}

/** Adds a batch. @param digest of the mapping, mixed into every hash. */
export async function stage(staging: Staging, digest: string, records: readonly KeyAndHash[]): Promise<void> {
  const keys = records.map(({ key }) => key);
  const hashes = records.map(({ hash }) => hash);
  await sql`
    insert into model_sync_staging
    select key, hash # ${digest}::bigint from unnest(${keys}::text[], ${hashes}::bigint[]) as batch (key, hash)
  `.execute(staging);
}
