import { expect, test } from 'vitest';
import { eachLimited } from './each-limited.ts';

test('runs at most so many at a time, all of them, in order', async () => {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  await eachLimited([1, 2, 3, 4, 5], 2, async (item) => {
    started.push(item);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
  });
  expect(started).toEqual([1, 2, 3, 4, 5]);
  expect(most).toBe(2);
});

test('after a failure nothing new is started, and what runs is waited for', async () => {
  const second = Promise.withResolvers<void>();
  const log: string[] = [];
  const all = eachLimited([1, 2, 3], 2, async (item) => {
    log.push(`start ${item}`);
    if (item === 1) throw new Error('first failed');
    await second.promise;
    log.push(`end ${item}`);
  });
  const refused = expect(all).rejects.toThrow('first failed');
  second.resolve();
  await refused;
  expect(log).toEqual(['start 1', 'start 2', 'end 2']);
});
