import type { RecordResult } from '../connectors/index.ts';
import { PlannedBatch } from './planned-batch.ts';
import { checkAnswers } from './settle.ts';

export interface Answers {
  /** Waits for those before at times, not for these. */
  settle(batch: PlannedBatch, results: RecordResult[]): Promise<void>;
  /** All that were given. */
  settled(): Promise<void>;
}

/** Records whose answers may wait until earlier ones are written down. */
const waitingAtMost = 5_000;
/** And bytes of them: memory must not depend on how wide they are. */
const bytesAtMost = 8 * 1024 * 1024;

/**
 * While the destination works on one batch, the answers to those before are written down: those of small batches
 * together, since a transaction takes as long for few as for many.
 *
 * @param write called for one stretch after the other.
 */
export function answersInTurn(
  write: (batch: PlannedBatch, results: RecordResult[]) => Promise<void>,
): Answers {
  let waiting: { batch: PlannedBatch; results: RecordResult[] }[] = [];
  let count = 0;
  let bytes = 0;
  let busy = false;
  let settling: Promise<void> = Promise.resolve();
  const settleWaiting = async () => {
    try {
      while (waiting.length > 0) {
        const batch = PlannedBatch.joined(waiting.map((one) => one.batch));
        const results = waiting.flatMap((one) => one.results);
        [waiting, count, bytes] = [[], 0, 0];
        await write(batch, results);
      }
    } finally {
      busy = false;
    }
  };
  return {
    async settle(batch, results) {
      checkAnswers(batch, results);
      const isMuch = count + batch.length > waitingAtMost || bytes + batch.lines.length > bytesAtMost;
      // It also says whether it failed.
      if (!busy || isMuch) await settling;
      waiting.push({ batch, results });
      count += batch.length;
      bytes += batch.lines.length;
      if (busy) return;
      busy = true;
      settling = settleWaiting();
      // Whoever comes next asks whether it failed.
      settling.catch(() => {});
    },
    settled: () => settling,
  };
}
