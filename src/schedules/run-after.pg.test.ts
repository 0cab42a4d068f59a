import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSchedules } from '../../test/support/schedules.ts';

let world: Awaited<ReturnType<typeof startSchedules>>;
beforeAll(async () => {
  world = await startSchedules();
});
afterAll(() => world[Symbol.asyncDispose]());

const after = (ids: string[], successOnly = false) => ({
  frequency: 'runafter' as const,
  run_after: { sync_ids: ids, bulk_sync_ids: [] },
  run_after_success_only: successOnly,
});
/** Two syncs without a schedule and one that runs after both. */
async function three(successOnly = false) {
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
  return { first, second, third: await world.save([after([first, second], successOnly)]) };
}
const count = async (syncId: string) => {
  await world.startAllDue();
  return (await world.executions(syncId)).length;
};

test('it starts when one of the listed syncs has ended and none of them runs', async () => {
  const { first, second, third } = await three();
  expect(await count(third)).toBe(0);
  await world.startByHand(first);
  await world.startByHand(second);
  await world.end(first, 'failed');
  expect(await count(third)).toBe(0);
  await world.end(second);
  expect(await count(third)).toBe(1);
  expect(await world.untilNext(third)).toBeNull();
  // Both have ended while it ran: it runs once more.
  await world.startByHand(first);
  await world.startByHand(second);
  await world.end(second);
  await world.end(first);
  expect(await count(third)).toBe(1);
  await world.end(third);
  expect(await count(third)).toBe(2);
});

test('success only: it starts when the newest execution of each listed sync has completed', async () => {
  const { first, second, third } = await three(true);
  for (const to of ['failed', 'canceled'] as const) {
    await world.startByHand(first);
    await world.end(first, to);
    expect(await count(third)).toBe(0);
  }
  // The first has not been mended yet.
  await world.startByHand(second);
  await world.end(second);
  expect(await count(third)).toBe(0);
  expect(await world.untilNext(third)).toBeNull();
  await world.startByHand(first);
  await world.end(first);
  expect(await count(third)).toBe(1);
});

test('a dry run starts nothing; neither does what ended while the sync was off', async () => {
  const { first, third } = await three();
  await world.startByHand(first, { test: true });
  await world.end(first);
  expect(await count(third)).toBe(0);
  await world.activate(third, false);
  await world.startByHand(first);
  await world.end(first);
  await world.activate(third, true);
  expect(await count(third)).toBe(0);
  await world.startByHand(first);
  await world.end(first);
  expect(await count(third)).toBe(1);
});

test('turned off, nothing starts by the clock either; turned on, it does not make up for that', async () => {
  const sync = await world.save([{ frequency: 'daily' }]);
  await world.due(sync);
  await world.activate(sync, false);
  expect(await count(sync)).toBe(0);
  expect(await world.untilNext(sync)).toBeNull();
  await world.activate(sync, true);
  expect(await count(sync)).toBe(0);
  const wait = await world.untilNext(sync);
  expect(wait).toBeGreaterThan(0);
  await world.activate(sync, true);
  const [schedule] = await world.schedules(sync);
  expect(schedule?.nextRunAt).toMatch(/T00:00:00/);
});
