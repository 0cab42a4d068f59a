import { sql } from 'kysely';
import type { RecordResult } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { DeliverCheckpoint } from './plan.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { planTable } from './planned-records.ts';

/**
 * Moves the baseline for every record the destination has taken. A refused record stays as it was, so that
 * every later execution offers it again. So does a record that `update` or `remove` did not find: it may appear.
 * One that `create` found already there is known from now on.
 *
 * @param batch of the plan. @param results one per record, in order.
 * @param known whether some of the records may be in the baseline: to look for each of them takes twice as long.
 */
export async function acknowledge(
  tx: Transaction,
  { plan, task }: Pick<DeliverCheckpoint, 'plan' | 'task'>,
  batch: PlannedBatch,
  results: readonly RecordResult[],
  known: boolean,
): Promise<void> {
  const { mode, sync } = task.target;
  const placesOf = (status: string) => {
    const ns: number[] = [];
    for (const [index, result] of results.entries()) if (result.status === status) ns.push(batch.n(index));
    return ns;
  };
  const skipped = placesOf('skipped');
  const left = [...placesOf('refused'), ...(mode === 'create' ? [] : skipped)];
  if (left.length === batch.length) return;
  // What `create` found there is not the source's: noted with a hash that never matches, so that another mode
  // of the same sync still brings it up to date.
  const hash =
    skipped.length === 0 ? sql`hash` : sql`case when n = any(${skipped}::bigint[]) then ~hash else hash end`;
  await sql`
    insert into model_sync_baseline (sync_id, record_key, hash)
    select ${sync.id}::uuid, record_key, ${hash} # ${task.mappingDigest}::bigint
    from ${sql.table(planTable(plan))}
    where n between ${batch.first} and ${batch.last} and n <> all(${left}::bigint[])
    order by record_key
    ${known ? sql`on conflict (sync_id, record_key) do update set hash = excluded.hash` : sql``}`.execute(tx);
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
