import { BatchRefused, type ModelWriter, type RecordResult } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import { answersInTurn } from './answers-in-turn.ts';
import { Entries } from './entries.ts';
import { OthersTried } from './others-tried.ts';
import type { DeliverCheckpoint } from './plan.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { countAfter, finishPlan, progressOf, readAhead } from './planned-records.ts';
import { settle } from './settle.ts';
import { splitRefused } from './split-refused.ts';
import { progressTeller } from './story.ts';
import { NotPassing, type RefusedBefore, Suspects } from './suspects.ts';
import { tiedToContent } from './tied-to-content.ts';
import { underWay } from './under-way.ts';
import { type Outgoing, outgoingBatches, writeBatch } from './write-batch.ts';

export interface Delivery {
  db: Database;
  run: Run;
  checkpoint: DeliverCheckpoint;
  writer: ModelWriter;
  retryDelays: readonly number[];
  refusedBefore: RefusedBefore;
  /** Records that a batch should have at most, where the destination would take more. */
  batchSize?: number | undefined;
}

/** Works off a plan. After a crash it goes on with what is left of it. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { db, run, checkpoint, writer, retryDelays } = delivery;
  const batchSize = Math.min(writer.batchSize, delivery.batchSize ?? Number.POSITIVE_INFINITY);
  const { delivered, finished } = await progressOf(db, checkpoint.plan);
  if (finished) return;
  const planned = await countAfter(db, checkpoint.plan, delivered);
  if (planned > 0) await run.console('info', `Sending ${planned} records`);
  const tell = progressTeller(run);
  const entries = new Entries(checkpoint.task);
  const answers = answersInTurn((batch, results) => settle(run, checkpoint, batch, results, entries));
  const prepare = outgoingBatches(writer, checkpoint.task);
  const isTiedToContent = tiedToContent(writer);
  const others = new OthersTried({ db, run, plan: checkpoint.plan, writer, prepare });
  const suspects = new Suspects(delivered > 0, writer.tryEmpty !== undefined, delivery.refusedBefore, {
    refuse: (batch, reason) => answers.settle(batch, [{ status: 'refused', reason }]),
    isAnyTaken: (after, error) => others.isAnyTaken(after, error),
  });
  const prepareRest = async (records: PlannedBatch) => others.unlessTaken(await prepare(records));
  const take = async (batch: PlannedBatch, results: RecordResult[]) => {
    await suspects.clear();
    await answers.settle(batch, results);
  };
  /** What was sent before is written down first: there is room for one batch in doubt. */
  const earlier = async () => {
    await suspects.clear();
    await answers.settled();
  };

  /** A refused batch is split until the record that is at fault stands alone. */
  const deliverBatch = async (batch: Outgoing, delays: readonly number[]): Promise<void> => {
    const { records } = batch;
    try {
      return await take(records, await writeBatch(run, writer, batch, delays, earlier));
    } catch (error) {
      if (!(error instanceof BatchRefused)) throw error;
      const isContent = await isTiedToContent(error);
      if (records.length > 1) {
        // It has been waited for: one more try is enough for what is not in its way.
        const fewer = error instanceof NotPassing ? delays.slice(0, 1) : delays;
        for (const part of splitRefused(records, error)) await deliverBatch(await prepareRest(part), fewer);
      } else if (isContent) await suspects.refuse(records, error);
      else await suspects.hold(records, error);
    }
  };

  let sent = 0;
  const batches = underWay(writer.atATime ?? 1, async (batch) => {
    const { records, first } = batch;
    // What has arrived counts, even when the run is to stop.
    const results = await first?.catch(() => undefined);
    if (results !== undefined) await take(records, results);
    else await deliverBatch(batch, suspects.areHeld ? retryDelays.slice(0, 1) : retryDelays);
    sent += records.length;
    await tell(() => `${sent} of ${planned} records sent`);
  });
  try {
    for await (const records of readAhead(db, checkpoint.plan, delivered, batchSize)) {
      run.signal.throwIfAborted();
      // While the destination works on those before.
      await batches.add(await prepareRest(records));
    }
    await batches.end();
    await suspects.end();
  } finally {
    await batches.end().catch(() => {});
    await answers.settled();
  }
  // Through the claim: a successor may be about to read it.
  await run.commit({}, (tx) => finishPlan(tx, checkpoint.plan));
}
