import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BatchRefused, type RecordResult } from '../connectors/index.ts';
import { PlannedBatch } from './planned-batch.ts';
import { underWay } from './under-way.ts';

const taken: RecordResult[] = [{ status: 'upserted' }];

/** A destination whose answers are given by hand, and what is known of the batches that are added one after the other. */
function start(atATime: number, count: number, length = 50) {
  const begun: number[] = [];
  const delivered: number[] = [];
  const answers: PromiseWithResolvers<RecordResult[]>[] = [];
  const batches = underWay(atATime, async ({ records, send }) => {
    // As long as it takes: what failed is tried again.
    for (;;) {
      try {
        await send(async () => {});
        break;
      } catch {}
    }
    delivered.push(records.first);
  });
  const all = (async () => {
    for (let n = 0; n < count; n++) {
      const records = new PlannedBatch(Buffer.from(`${`${n}\tk\t0\t`.padEnd(length - 1, 'x')}\n`));
      const send = () => {
        begun.push(n);
        const answer = Promise.withResolvers<RecordResult[]>();
        answers[n] = answer;
        return answer.promise;
      };
      await batches.add({ records, send });
    }
    await batches.end();
  })();
  /** @param answer all of those, and what can go on goes on. */
  const give = async (ns: number[], answer: Error | RecordResult[] = taken) => {
    for (const n of ns) {
      if (answer instanceof Error) answers[n]?.reject(answer);
      else answers[n]?.resolve(answer);
      await setImmediate();
    }
  };
  return { begun, delivered, give, all };
}

test('once the first has arrived several are on their way, and are delivered in their order', async () => {
  const { begun, delivered, give, all } = start(3, 6);
  await setImmediate();
  expect(begun).toEqual([0]);
  await give([0]);
  expect(begun).toEqual([0, 1, 2, 3]);
  await give([3, 2]);
  expect([begun, delivered]).toEqual([[0, 1, 2, 3], [0]]);
  await give([1]);
  expect([begun, delivered]).toEqual([
    [0, 1, 2, 3, 4, 5],
    [0, 1, 2, 3],
  ]);
  await give([5, 4]);
  await all;
  expect(delivered).toEqual([0, 1, 2, 3, 4, 5]);
});

test('while a failed one is tried again no other begins, and from then on each goes alone', async () => {
  const { begun, delivered, give, all } = start(3, 6);
  await give([0]);
  await give([2], new Error('busy'));
  await give([3]);
  expect([begun, delivered]).toEqual([[0, 1, 2, 3], [0]]);
  await give([1]);
  expect([begun, delivered]).toEqual([
    [0, 1, 2, 3, 2],
    [0, 1],
  ]);
  await give([2]);
  expect([begun, delivered]).toEqual([
    [0, 1, 2, 3, 2, 4],
    [0, 1, 2, 3],
  ]);
  await give([4]);
  expect(begun.slice(6)).toEqual([5]);
  await give([5]);
  await all;
});

test('one that is refused for its content is dealt with, then several go again', async () => {
  const { begun, give, all } = start(2, 5);
  await give([0]);
  await give([2, 1], new BatchRefused('no'));
  expect(begun).toEqual([0, 1, 2, 1]);
  await give([1, 2]);
  expect(begun).toEqual([0, 1, 2, 1, 2, 3, 4]);
  await give([3, 4]);
  await all;
});

test('no more than 2 MiB of records are on their way', async () => {
  const { begun, give, all } = start(4, 5, 1_100_000);
  await give([0]);
  expect(begun).toEqual([0, 1, 2]);
  await give([1, 2, 3, 4]);
  await all;
});

test('one that fails for good ends all, once the others that are on their way have ended', async () => {
  const answers: PromiseWithResolvers<RecordResult[]>[] = [];
  const batches = underWay(3, async ({ send }) => void (await send(async () => {})));
  const add = (n: number) => {
    const records = new PlannedBatch(Buffer.from(`${n}\tk\t0\n`));
    const answer = Promise.withResolvers<RecordResult[]>();
    answers.push(answer);
    return batches.add({ records, send: () => answer.promise });
  };
  await add(0);
  answers[0]?.resolve(taken);
  for (const n of [1, 2, 3]) await add(n);
  let ended = false;
  const end = batches.end().finally(() => {
    ended = true;
  });
  end.catch(() => {});
  answers[1]?.reject(new Error('gone'));
  answers[2]?.resolve(taken);
  await setImmediate();
  expect(ended).toBe(false);
  answers[3]?.resolve(taken);
  await expect(end).rejects.toThrow('gone');
});

test('one at a time: none begins before the one before it is delivered', async () => {
  const { begun, delivered, give, all } = start(1, 2);
  await setImmediate();
  await give([0]);
  expect([begun, delivered]).toEqual([[0, 1], [0]]);
  await give([1]);
  await all;
});
