import type { ModelWriter } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import { acknowledge, currentBaseline } from './baseline.ts';
import type { Delivery } from './deliver.ts';
import { clearIntent, type OpenIntent, openIntents, ownIntent, wasCommitted } from './intents.ts';
import { persist } from './persist.ts';
import { readStretch } from './planned-records.ts';
import { settle } from './settle.ts';
import { type PackedStretch, unpackStretch } from './stretches.ts';

/**
 * A worker died after the destination had applied a batch and before it counted here. If the destination kept
 * it, its stored answers count now, once; if not, it is still in the plan and is sent again.
 */
export async function settleOwnIntent({ db, run, checkpoint, writer, retryDelays }: Delivery): Promise<void> {
  const intent = await ownIntent(db, run.execution);
  if (intent === undefined) return;
  if (!(await hasArrived(run, writer, intent, retryDelays))) {
    return run.commit({}, (tx) => clearIntent(tx, run.execution.id));
  }
  const { first, last, results } = unpackStretch(intent.results as unknown as PackedStretch);
  const records = await readStretch(db, checkpoint.plan, first, last);
  await settle(run, checkpoint, records, results);
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
  openWriter: () => Promise<ModelWriter | undefined>,
  delays: readonly number[],
): Promise<void> {
  const intents = await openIntents(db, syncId);
  const writer = intents.length === 0 ? undefined : await openWriter();
  for (const intent of intents) {
    const { executionId, checkpoint } = intent;
    const current = await currentBaseline(db, syncId, checkpoint.task.baselineTarget);
    // Replacing leaves nothing to remember, and has no baseline.
    const remembered = current !== undefined && current.number === checkpoint.baseline?.number;
    let acknowledgeArrived = async (_tx: Transaction) => {};
    if (remembered && writer !== undefined && (await hasArrived(run, writer, intent, delays))) {
      const { first, last, results } = unpackStretch(intent.results as unknown as PackedStretch);
      const batch = await readStretch(db, checkpoint.plan, first, last);
      acknowledgeArrived = (tx) => acknowledge(tx, checkpoint, batch, results);
    }
    await run.commit({}, async (tx) => {
      await acknowledgeArrived(tx);
      await clearIntent(tx, executionId);
    });
  }
}

/** The dead worker's transaction may still be open for a moment. */
export function hasArrived(
  run: Run,
  writer: Pick<ModelWriter, 'outcome'>,
  { token }: OpenIntent,
  delays: readonly number[],
): Promise<boolean> {
  const what = 'The target could not say what became of an earlier batch';
  return persist(run, delays, what, () => wasCommitted(writer, token));
}
