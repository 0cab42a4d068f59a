import { sql } from 'kysely';
import { BatchRefused, type ModelSource, type ModelWriter, type RecordResult } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Counts, Run } from '../executions/index.ts';
import { type Answer, acknowledge } from './baseline.ts';
import { clearIntent } from './intents.ts';
import type { DeliverCheckpoint } from './plan.ts';
import { countRemaining, type KeyedRecord, plannedRecords } from './planned-records.ts';
import { errorEntry, recordEntry } from './record-entries.ts';
import { answersOf, writeBatch } from './write-batch.ts';

export interface Delivery {
  db: Database;
  run: Run;
  checkpoint: DeliverCheckpoint;
  source: ModelSource;
  writer: ModelWriter;
  retryDelays: readonly number[];
}

/** Milliseconds between two lines about progress: only the newest 50 lines are kept. */
const progressEvery = 5_000;

/** Works off a plan. After a crash it goes on with what is left of it. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { db, run, checkpoint, source, writer } = delivery;
  const planned = await countRemaining(db, checkpoint);
  if (planned === 0) return;
  await run.console('info', `Sending ${planned} records`);
  let sent = 0;
  let told = performance.now();
  for await (const batch of plannedRecords(db, run, checkpoint, source, writer.batchSize)) {
    await deliverBatch(delivery, batch);
    sent += batch.length;
    if (performance.now() - told < progressEvery) continue;
    told = performance.now();
    await run.console('info', `${sent} of ${planned} records sent`);
  }
  await dropVanished(delivery);
}

/** A refused batch is halved until the record that is at fault stands alone. */
async function deliverBatch(delivery: Delivery, records: KeyedRecord[]): Promise<void> {
  const { run, writer, checkpoint, retryDelays } = delivery;
  const { places } = checkpoint.task;
  const outgoing = records.map(({ key, hash, values }) => ({
    key,
    hash,
    values: places.map((place) => values[place] ?? null),
  }));
  let answers: Answer[];
  try {
    answers = await writeBatch(run, writer, outgoing, retryDelays);
  } catch (error) {
    if (!(error instanceof BatchRefused)) throw error;
    if (records.length > 1) {
      const middle = records.length >> 1;
      await deliverBatch(delivery, records.slice(0, middle));
      return deliverBatch(delivery, records.slice(middle));
    }
    answers = answersOf(outgoing, [{ status: 'refused', reason: error.message }]);
  }
  const entries = new Map(records.map((record) => [record.key, recordEntry(checkpoint.task, record)]));
  await settle(run, checkpoint, answers, entries);
}

/** Makes the destination's answers count: logs, counts, baseline and plan, in one transaction. */
export async function settle(
  run: Run,
  { plan, task }: DeliverCheckpoint,
  answers: readonly Answer[],
  entries: ReadonlyMap<string, string>,
): Promise<void> {
  const counts: Counts = {};
  for (const { key, result } of answers) {
    const entry = entries.get(key) ?? '{}';
    run.recordLog('records', entry);
    if (result.status === 'inserted') run.recordLog('inserts', entry);
    if (result.status === 'updated') run.recordLog('updates', entry);
    if (result.status === 'refused') run.recordLog('errors', errorEntry(task, key, result.reason, entry));
    const count = countOf[result.status];
    if (count !== undefined) counts[count] = (counts[count] ?? 0) + 1;
  }
  const { sync, mode } = task.target;
  await run.commit({ counts }, async (tx) => {
    await acknowledge(tx, { id: sync.id, mode, mappingDigest: task.mappingDigest }, answers);
    const keys = answers.map(({ key }) => key);
    await sql`
      delete from model_sync_plan
      where sync_id = ${sync.id} and plan = ${plan} and record_key = any(${keys}::text[])`.execute(tx);
    await clearIntent(tx, run.execution.id);
  });
}

const countOf: Record<RecordResult['status'], string | undefined> = {
  inserted: 'insert',
  updated: 'update',
  upserted: 'upserts',
  refused: 'error',
  skipped: undefined,
};

/** Records that were gone when they were to be read: the next execution looks at them afresh. */
async function dropVanished({ db, run, checkpoint }: Delivery): Promise<void> {
  const vanished = await countRemaining(db, checkpoint);
  if (vanished === 0) return;
  await run.console(
    'warn',
    `${vanished} records changed their identity or disappeared before they were sent`,
  );
  await run.commit({}, async (tx) => {
    await tx
      .deleteFrom('model_sync_plan')
      .where('sync_id', '=', checkpoint.task.target.sync.id)
      .where('plan', '=', checkpoint.plan)
      .execute();
  });
}
