import type { ModelWriter } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import { acknowledge, currentBaselineTarget } from './baseline.ts';
import type { Delivery } from './deliver.ts';
import { clearIntent, type Intent, openIntents, wasCommitted } from './intents.ts';
import { persist } from './persist.ts';
import { readStretch } from './planned-records.ts';
import { answersOf, settle } from './settle.ts';

/**
 * A worker died after the destination had applied a batch and before it counted here. If the destination kept
 * it, its stored answers count now, once; if not, it is still in the plan and is sent again.
 */
export async function settleOwnIntent({ db, run, checkpoint, writer, retryDelays }: Delivery): Promise<void> {
  const intents = await openIntents(db, checkpoint.task.target.sync.id);
  const intent = intents.find(({ executionId }) => executionId === run.execution.id);
  if (intent === undefined) return;
  if (!(await hasArrived(run, writer, intent, retryDelays))) {
    return run.commit({}, (tx) => clearIntent(tx, run.execution.id));
  }
  const records = await readStretch(db, checkpoint.plan, intent.first, intent.last);
  await settle(run, checkpoint, records, intent.results);
  await run.console('info', `Took over a batch of ${records.length} records that had arrived already`);
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
    const { executionId, first, last, results, checkpoint } = intent;
    const applies = (await currentBaselineTarget(db, syncId)) === checkpoint.task.baselineTarget;
    const arrived = applies && (await hasArrived(run, writer, intent, delays));
    const records = arrived ? await readStretch(db, checkpoint.plan, first, last) : [];
    await run.commit({}, async (tx) => {
      if (arrived) await acknowledge(tx, checkpoint, answersOf(records, results));
      await clearIntent(tx, executionId);
    });
  }
}

/** The dead worker's transaction may still be open for a moment. */
function hasArrived(run: Run, writer: ModelWriter, { token }: Intent, delays: readonly number[]) {
  const what = 'The target could not say what became of an earlier batch';
  return persist(run, delays, what, () => wasCommitted(writer, token));
}
