import { sql } from 'kysely';
import type { ModelSource, SourceRecord } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { DeliverCheckpoint } from './plan.ts';
import { readRecords } from './read.ts';

/** Up to so many records are asked for by key; more are found by reading the whole model once. */
const byKeyAtMost = 10_000;

export type KeyedRecord = SourceRecord & { key: string };

/** What of a plan is still to be delivered, in full, in batches for the writer. */
export async function* plannedRecords(
  db: Database,
  run: Run,
  { plan, task }: DeliverCheckpoint,
  source: ModelSource,
  batchSize: number,
): AsyncGenerator<KeyedRecord[]> {
  const syncId = task.target.sync.id;
  const keys = await remainingKeys(db, syncId, plan, byKeyAtMost + 1);
  if (keys.length === 0) return;
  let batch = new Map<string, KeyedRecord>();
  const asked = keys.length > byKeyAtMost ? undefined : keys;
  for await (const records of readRecords(run, source, task.query, asked)) {
    const planned = await stillPlanned(db, syncId, plan, records);
    for (const record of records) {
      // A key that has come up twice since the plan is sent once; the next execution reports it.
      if (record.key === null || !planned.delete(record.key) || batch.has(record.key)) continue;
      batch.set(record.key, { ...record, key: record.key });
      if (batch.size < batchSize) continue;
      yield [...batch.values()];
      batch = new Map();
    }
  }
  if (batch.size > 0) yield [...batch.values()];
}

export async function countRemaining(db: Database, { plan, task }: DeliverCheckpoint): Promise<number> {
  const { remaining } = await db
    .selectFrom('model_sync_plan')
    .select((select) => select.fn.countAll<number>().as('remaining'))
    .where('sync_id', '=', task.target.sync.id)
    .where('plan', '=', plan)
    .executeTakeFirstOrThrow();
  return remaining;
}

async function remainingKeys(db: Database, syncId: string, plan: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('model_sync_plan')
    .select('record_key')
    .where('sync_id', '=', syncId)
    .where('plan', '=', plan)
    .limit(limit)
    .execute();
  return rows.map((row) => row.record_key);
}

async function stillPlanned(
  db: Database,
  syncId: string,
  plan: number,
  records: readonly SourceRecord[],
): Promise<Set<string>> {
  const keys = records.map((record) => record.key);
  const { rows } = await sql<{ record_key: string }>`
    select record_key from model_sync_plan
    where sync_id = ${syncId} and plan = ${plan} and record_key = any(${keys}::text[])`.execute(db);
  return new Set(rows.map((row) => row.record_key));
}
