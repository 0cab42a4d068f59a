import { sql } from 'kysely';
import type { ModelSyncMode, RecordResult } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';

/** What a destination said about one record. `hash` is the source's, without the mapping's digest. */
export interface Answer {
  key: string;
  hash: string;
  result: RecordResult;
}

/**
 * Moves the baseline for every record the destination has taken. A refused record stays as it was, so that
 * every later execution offers it again. So does a record that `update` did not find: it may appear. One
 * that `create` found already there is known from now on.
 */
export async function acknowledge(
  tx: Transaction,
  sync: { id: string; mode: ModelSyncMode; mappingDigest: string },
  answers: readonly Answer[],
): Promise<void> {
  const taken = answers.filter(
    ({ result }) => result.status !== 'refused' && !(result.status === 'skipped' && sync.mode === 'update'),
  );
  if (taken.length === 0) return;
  const keys = taken.map(({ key }) => key);
  // What `create` found there is not the source's: noted with a hash that never matches, so that another mode
  // of the same sync still brings it up to date.
  const hashes = taken.map(({ hash, result }) =>
    result.status === 'skipped' ? BigInt.asIntN(64, ~BigInt(hash)).toString() : hash,
  );
  await sql`
    insert into model_sync_baseline (sync_id, record_key, hash)
    select ${sync.id}::uuid, key, hash # ${sync.mappingDigest}::bigint
    from unnest(${keys}::text[], ${hashes}::bigint[]) as batch (key, hash)
    on conflict (sync_id, record_key) do update set hash = excluded.hash`.execute(tx);
}

/** What the baseline of a sync is about; undefined before its first plan and when the sync is gone. */
export async function currentBaselineTarget(db: Database, syncId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('model_syncs')
    .select('baseline_target')
    .where('id', '=', syncId)
    .executeTakeFirst();
  return row?.baseline_target ?? undefined;
}

export async function setBaselineTarget(tx: Transaction, syncId: string, target: string): Promise<void> {
  await tx.updateTable('model_syncs').set({ baseline_target: target }).where('id', '=', syncId).execute();
}

/** Another target knows none of the records the last one acknowledged. */
export async function forgetBaseline(tx: Transaction, syncId: string): Promise<void> {
  await tx.updateTable('model_syncs').set({ baseline_target: null }).where('id', '=', syncId).execute();
  await tx.deleteFrom('model_sync_baseline').where('sync_id', '=', syncId).execute();
}
