import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { inherited } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { type PoolOptions, ProcessPool } from './pool.ts';

function openPool(options: Partial<PoolOptions> = {}): ProcessPool {
  const pool = new ProcessPool({
    program: path.join(import.meta.dirname, 'isolate.fixture.ts'),
    environment: inherited(),
    memoryMb: 256,
    silenceSeconds: 30,
    places: 4,
    placesPerOwner: 2,
    keptFor: 60_000,
    ...options,
  });
  onTestFinished(() => pool.stop());
  return pool;
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a process serves one owner: the next task of that owner, and never one of another', async () => {
  const pool = openPool();
  const first = await pool.give('a', 'pid', null).result;
  const other = await pool.give('b', 'pid', null).result;
  expect(other).not.toBe(first);
  expect(await pool.give('a', 'pid', null).result).toBe(first);
  expect(await pool.give('b', 'pid', null).result).toBe(other);
  const input = { bytes: Buffer.from([0, 255]), big: 9007199254740993n };
  expect(await pool.give('a', 'echo', input).result).toEqual(input);
});

test('what kills a process fails its task with the reason, and no other task', async () => {
  const pool = openPool({ places: 8, placesPerOwner: 8 });
  const impatient = openPool({ silenceSeconds: 2 });
  const waiting = pool.give('healthy', 'wait', null);
  const died = (kind: string) => expect(pool.give('hostile', kind, null).result).rejects;
  await Promise.all([
    expect(impatient.give('hostile', 'hang', null).result).rejects.toMatchObject({
      reason: 'silence',
      message: 'its process did not respond for 2 seconds',
    }),
    died('grow').toMatchObject({ reason: 'memory', message: 'its process used more than 256 MB of memory' }),
    died('exit').toMatchObject({ reason: 'exit', message: 'its process ended (code 3)' }),
    died('crash').toMatchObject({ reason: 'exit', message: 'its process ended (code 1)' }),
    died('refuse').toThrow('Error: no'),
    died('unknown').toThrow('there is no task unknown'),
  ]);
  waiting.steer('unharmed');
  expect(await waiting.result).toBe('unharmed');
});

test('a task that is killed is over when its process is; one that waits never starts', async () => {
  const pool = openPool({ places: 1, placesPerOwner: 1 });
  const pid = (await pool.give('a', 'pid', null).result) as number;
  const hanging = pool.give('a', 'hang', null);
  const next = pool.give('a', 'pid', null);
  next.kill('not wanted any more');
  await expect(next.result).rejects.toThrow('not wanted any more');
  hanging.kill('it was canceled');
  await expect(hanging.result).rejects.toMatchObject({ reason: 'killed', message: 'it was canceled' });
  expect(isAlive(pid)).toBe(false);
  expect(await pool.give('a', 'pid', null).result).not.toBe(pid);
});

test('an owner with many tasks takes no more than its places, and those with fewer come first', async () => {
  const pool = openPool({ places: 3, placesPerOwner: 2 });
  const order: string[] = [];
  const give = (owner: string, name: string) => {
    const task = pool.give(owner, 'wait', null);
    void task.result.then(() => order.push(name));
    return task;
  };
  const many = Array.from({ length: 4 }, (_, index) => give('many', `many ${index}`));
  const few = ['b', 'c'].map((owner) => give(owner, owner));
  // `steer` is kept until a task runs: each ends as soon as it has a place.
  for (const task of few) task.steer('end');
  await Promise.all(few.map(({ result }) => result));
  expect(order).toEqual(['b', 'c']);
  for (const task of many) task.steer('end');
  await Promise.all(many.map(({ result }) => result));
  expect(order.slice(2).sort()).toEqual(['many 0', 'many 1', 'many 2', 'many 3']);
});

test('without work processes end, the spare with them', async () => {
  const pool = openPool({ keptFor: 50 });
  const pid = (await pool.give('a', 'pid', null).result) as number;
  await until(() => !isAlive(pid));
  await until(() => pool.processes === 0);
  expect(await pool.give('a', 'echo', 'again').result).toBe('again');
});
