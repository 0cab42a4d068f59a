import { BatchRefused, type RecordResult } from '../connectors/index.ts';
import type { Outgoing } from './write-batch.ts';

/** Bytes of records at most, one batch at least: memory must not depend on how wide they are. */
const bytesAtMost = 2 * 1024 * 1024;

/** A batch whose first try is under way, or has come to something: `send` begins with that one. */
export interface Begun extends Outgoing {
  first?: Promise<RecordResult[]>;
}

export interface UnderWay {
  /** Waits until there is room for it. */
  add(batch: Outgoing): Promise<void>;
  /** All that were added are delivered. @throws what the first failed with, once no other is on its way. */
  end(): Promise<void>;
}

/**
 * Delivers one batch after the other, whose first tries are on their way several at a time. The first batch goes alone,
 * and so does each from the first failure on that is not about a batch's content: a destination in trouble does not get
 * more of it. While a failed batch is tried again or split, no other begins.
 *
 * @param atATime batches; with 1 none begins before it is its turn.
 */
export function underWay(atATime: number, deliver: (batch: Begun) => Promise<void>): UnderWay {
  const batches: { bytes: number; delivered: Promise<void> }[] = [];
  let last: Promise<void> = Promise.resolve();
  const begun = new Set<Promise<unknown>>();
  let limit = 1;
  let hasFailed = false;
  let isInTrouble = false;
  const begin = (batch: Outgoing): Begun => {
    const first = batch.send(async () => {
      throw new Error('a batch that is prepared waits for its turn');
    });
    first.then(
      () => {
        if (!isInTrouble) limit = atATime;
      },
      (error: unknown) => {
        hasFailed = true;
        if (error instanceof BatchRefused) return;
        isInTrouble = true;
        limit = 1;
      },
    );
    const ended = first.catch(() => {}).finally(() => begun.delete(ended));
    begun.add(ended);
    let next: Promise<RecordResult[]> | undefined = first;
    const send: Outgoing['send'] = (prepared) => {
      const result = next ?? batch.send(prepared);
      next = undefined;
      return result;
    };
    return { ...batch, first, send };
  };
  const isFull = () =>
    hasFailed || batches.length >= limit || batches.reduce((sum, { bytes }) => sum + bytes, 0) >= bytesAtMost;
  return {
    async add(batch) {
      while (batches.length > 0 && isFull()) await batches.shift()?.delivered;
      if (batches.length === 0) hasFailed = false;
      const next = atATime > 1 ? begin(batch) : batch;
      last = last.then(() => deliver(next));
      // Whoever comes next is told, before it begins.
      last.catch(() => {
        hasFailed = true;
      });
      batches.push({ bytes: batch.records.lines.length, delivered: last });
    },
    end: () => last.finally(() => Promise.all(begun)),
  };
}
