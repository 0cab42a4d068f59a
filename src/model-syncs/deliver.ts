import { BatchRefused, Contended, type ModelWriter, type RecordResult } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import type { DeliverCheckpoint } from './plan.ts';
import { PlannedBatch } from './planned-batch.ts';
import { countAfter, finishPlan, progressOf, readAhead } from './planned-records.ts';
import { checkAnswers, Entries, settle } from './settle.ts';
import { splitRefused } from './split-refused.ts';
import { progressTeller } from './story.ts';
import { writeBatch } from './write-batch.ts';

export interface Delivery {
  db: Database;
  run: Run;
  checkpoint: DeliverCheckpoint;
  writer: ModelWriter;
  retryDelays: readonly number[];
  /** Records that a batch should have at most, where the destination would take more. */
  batchSize?: number | undefined;
}

/** What one delivery goes on using. */
interface Tools {
  answers: Answers;
  /** What is sent, of one batch at a time. */
  outgoing: ByteWriter;
}

/** Works off a plan. After a crash it goes on with what is left of it. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { db, run, checkpoint, writer } = delivery;
  const batchSize = Math.min(writer.batchSize, delivery.batchSize ?? Number.POSITIVE_INFINITY);
  const { delivered, finished } = await progressOf(db, checkpoint.plan);
  if (finished) return;
  const planned = await countAfter(db, checkpoint.plan, delivered);
  if (planned > 0) await run.console('info', `Sending ${planned} records`);
  let sent = 0;
  const tell = progressTeller(run);
  const answers = answersInTurn(delivery);
  const tools: Tools = { answers, outgoing: new ByteWriter(0) };
  try {
    for await (const batch of readAhead(db, checkpoint.plan, delivered, batchSize)) {
      await deliverBatch(delivery, batch, tools);
      sent += batch.length;
      await tell(() => `${sent} of ${planned} records sent`);
    }
  } finally {
    await answers.settled();
  }
  await finishPlan(db, checkpoint.plan);
}

interface Answers {
  /** Waits for those before at times, not for these. */
  settle(batch: PlannedBatch, results: RecordResult[]): Promise<void>;
  /** All that were given. */
  settled(): Promise<void>;
}

/** Records whose answers may wait until earlier ones are written down. */
const waitingAtMost = 5_000;

/**
 * While the destination works on one batch, the answers to those before are written down: those of small batches
 * together, since a transaction takes as long for few as for many.
 */
function answersInTurn({ run, checkpoint }: Delivery): Answers {
  const entries = new Entries(checkpoint.task);
  let waiting: { batch: PlannedBatch; results: RecordResult[] }[] = [];
  let count = 0;
  let busy = false;
  let settling: Promise<void> = Promise.resolve();
  const settleWaiting = async () => {
    try {
      while (waiting.length > 0) {
        const batch = PlannedBatch.joined(waiting.map((one) => one.batch));
        const results = waiting.flatMap((one) => one.results);
        [waiting, count] = [[], 0];
        await settle(run, checkpoint, batch, results, entries);
      }
    } finally {
      busy = false;
    }
  };
  return {
    async settle(batch, results) {
      checkAnswers(batch, results);
      // It also says whether it failed.
      if (!busy || count + batch.length > waitingAtMost) await settling;
      waiting.push({ batch, results });
      count += batch.length;
      if (busy) return;
      busy = true;
      settling = settleWaiting();
      // Whoever comes next asks whether it failed.
      settling.catch(() => {});
    },
    settled: () => settling,
  };
}

/** A refused batch is split until the record that is at fault stands alone. */
async function deliverBatch(delivery: Delivery, batch: PlannedBatch, tools: Tools): Promise<void> {
  const { run, writer, checkpoint, retryDelays } = delivery;
  let results: RecordResult[];
  try {
    const { answers, outgoing } = tools;
    results = await writeBatch(run, writer, checkpoint.task, batch, retryDelays, answers.settled(), outgoing);
  } catch (error) {
    // Its bytes may be on their way still.
    tools.outgoing = new ByteWriter(0);
    if (!(error instanceof BatchRefused)) throw error;
    if (batch.length > 1) {
      // It has been waited for: one more try is enough for what is not in its way.
      const delays = error.cause instanceof Contended ? retryDelays.slice(0, 1) : retryDelays;
      const parts = splitRefused(batch, error);
      for (const part of parts) await deliverBatch({ ...delivery, retryDelays: delays }, part, tools);
      return;
    }
    results = [{ status: 'refused', reason: error.message }];
  }
  await tools.answers.settle(batch, results);
}
