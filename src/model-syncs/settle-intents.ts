import type { ModelSource, ModelWriter } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import { acknowledge, currentBaselineTarget } from './baseline.ts';
import { type Delivery, settle } from './deliver.ts';
import { clearIntent, type Intent, openIntents, wasCommitted } from './intents.ts';
import { persist } from './persist.ts';
import { readRecords } from './read.ts';
import { recordEntry } from './record-entries.ts';
import type { Task } from './task.ts';

/**
 * A worker died after the destination had applied a batch and before it counted here. If the destination kept
 * it, its stored answers count now, once; if not, it is still in the plan and is sent again.
 */
export async function settleOwnIntent(delivery: Delivery): Promise<void> {
  const { db, run, checkpoint, source, writer, retryDelays } = delivery;
  const intents = await openIntents(db, checkpoint.task.target.sync.id);
  const intent = intents.find(({ executionId }) => executionId === run.execution.id);
  if (intent === undefined) return;
  if (!(await hasArrived(run, writer, intent, retryDelays))) {
    return run.commit({}, (tx) => clearIntent(tx, run.execution.id));
  }
  await settle(run, checkpoint, intent.answers, await entriesOf(run, checkpoint.task, source, intent));
  await run.console('info', `Took over a batch of ${intent.answers.length} records that had arrived already`);
}

/**
 * The same for executions of this sync that ended in the middle of a batch, canceled or failed. Their counts
 * are final, but what arrived must not be sent a second time.
 */
export async function settleOldIntents(
  db: Database,
  run: Run,
  syncId: string,
  writer: ModelWriter,
  delays: readonly number[],
): Promise<void> {
  for (const intent of await openIntents(db, syncId)) {
    const { executionId, answers, checkpoint } = intent;
    const { baselineTarget, mappingDigest, target } = checkpoint.task;
    const applies = (await currentBaselineTarget(db, syncId)) === baselineTarget;
    const arrived = applies && (await hasArrived(run, writer, intent, delays));
    await run.commit({}, async (tx) => {
      if (arrived) await acknowledge(tx, { id: syncId, mode: target.mode, mappingDigest }, answers);
      await clearIntent(tx, executionId);
    });
  }
}

/** The dead worker's transaction may still be open for a moment. */
function hasArrived(run: Run, writer: ModelWriter, { token }: Intent, delays: readonly number[]) {
  const what = 'The target could not say what became of an earlier batch';
  return persist(run, delays, what, () => wasCommitted(writer, token));
}

/**
 * What was sent is not stored with the answers: that would write every record a second time for the rare
 * crash. It is read again; a record that has changed or gone since is logged by its identity.
 */
async function entriesOf(
  run: Run,
  task: Task,
  source: ModelSource,
  { answers }: Intent,
): Promise<Map<string, string>> {
  const identity = JSON.stringify(task.identityName);
  const entries = new Map(answers.map(({ key }) => [key, `{${identity}:${JSON.stringify(key)}}`]));
  const hashes = new Map(answers.map(({ key, hash }) => [key, hash]));
  for await (const records of readRecords(run, source, task.query, [...hashes.keys()])) {
    for (const record of records) {
      if (record.key === null || hashes.get(record.key) !== record.hash) continue;
      entries.set(record.key, recordEntry(task, record));
    }
  }
  return entries;
}
