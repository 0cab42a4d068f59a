import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { RecordResult } from '../connectors/index.ts';
import { answersInTurn } from './answers-in-turn.ts';
import { PlannedBatch } from './planned-batch.ts';

const inserted = (count: number): RecordResult[] => Array(count).fill({ status: 'inserted' });

/** The n-th batch of records whose line is so long. */
function batchOf(n: number, records: number, length: number): PlannedBatch {
  const line = (at: number) => `${n * records + at}\tk\t0\t`.padEnd(length - 1, 'x');
  return new PlannedBatch(Buffer.from(Array.from({ length: records }, (_, at) => `${line(at)}\n`).join('')));
}

/** Answers to batches that come as fast as they may, while the first stretch is being written until `go`. */
async function held(batches: readonly PlannedBatch[]) {
  const { promise, resolve: go } = Promise.withResolvers<void>();
  const written: number[] = [];
  let taken = 0;
  const answers = answersInTurn(async (batch) => {
    written.push(batch.length);
    await promise;
  });
  const all = (async () => {
    for (const batch of batches) {
      await answers.settle(batch, inserted(batch.length));
      taken++;
    }
    await answers.settled();
  })();
  // Nothing here waits for anything but promises: what can go on has gone on.
  await setImmediate();
  const takenWhileHeld = taken;
  go();
  await all;
  return { takenWhileHeld, written };
}

test('answers to small batches wait together, to 5,000 records at most', async () => {
  const batches = Array.from({ length: 80 }, (_, n) => batchOf(n, 100, 50));
  const { takenWhileHeld, written } = await held(batches);
  expect(takenWhileHeld).toBe(51);
  expect(written.slice(0, 2)).toEqual([100, 5_000]);
  expect(written.reduce((sum, one) => sum + one)).toBe(8_000);
});

test('answers to large records wait to 8 MiB of them at most', async () => {
  const batches = Array.from({ length: 12 }, (_, n) => batchOf(n, 1, 2_500_000));
  const { takenWhileHeld, written } = await held(batches);
  expect(takenWhileHeld).toBe(4);
  expect(written.slice(0, 2)).toEqual([1, 3]);
  expect(written.reduce((sum, one) => sum + one)).toBe(12);
});

test('a stretch that cannot be written is told to whoever comes next', async () => {
  const answers = answersInTurn(() => Promise.reject(new Error('no room')));
  await answers.settle(batchOf(0, 1, 50), inserted(1));
  await expect(answers.settle(batchOf(1, 1, 50), inserted(1))).rejects.toThrow('no room');
  await expect(answers.settled()).rejects.toThrow('no room');
});
