import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSchedules } from '../../test/support/schedules.ts';
import { openDatabase } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Starter } from './start-due.ts';

let world: Awaited<ReturnType<typeof startSchedules>>;
beforeAll(async () => {
  world = await startSchedules();
});
afterAll(() => world[Symbol.asyncDispose]());

const hour = 3_600_000;
/** The database as another server has it open. */
const openServer = () => {
  const handle = openDatabase(world.url);
  return { db: handle.db, [Symbol.asyncDispose]: () => handle.close() };
};
const statuses = async (syncId: string) => (await world.executions(syncId)).map(({ status }) => status);

test('what was missed for days runs once, as scheduled, and then at its next time', async () => {
  const sync = await world.save([{ frequency: 'hourly', minute: '30' }]);
  await world.due(sync, '3 days');
  await world.startAllDue();
  expect(await world.executions(sync)).toMatchObject([{ trigger: 'scheduled' }]);
  const [schedule] = await world.schedules(sync);
  expect(schedule?.nextRunAt).toMatch(/:30:00\.000000Z$/);
  expect(await world.untilNext(sync)).toBeGreaterThan(0);
  await world.end(sync);
  await world.startAllDue();
  expect(await statuses(sync)).toEqual(['completed']);
});

test('a continuous one starts at once, and again five minutes after the start, not the end', async () => {
  const sync = await world.save([{ frequency: 'continuous' }]);
  await world.startAllDue();
  expect(await statuses(sync)).toEqual(['queued']);
  const wait = (await world.untilNext(sync)) ?? 0;
  expect(wait).toBeGreaterThan(0.9 * 5 * 60_000);
  expect(wait).toBeLessThanOrEqual(5 * 60_000);
});

test('servers that race start everything exactly once', async () => {
  await using other = openServer();
  const syncs = await Promise.all(Array.from({ length: 40 }, () => world.save([{ frequency: 'daily' }])));
  const twice = await world.save([{ frequency: 'daily' }, { frequency: 'weekly', day_of_week: 'monday' }]);
  for (const sync of [...syncs, twice]) await world.due(sync);
  const servers = [world.db, other.db, world.db, other.db];
  await Promise.all(servers.map((db) => world.startAllDue(db)));
  for (const sync of syncs) expect(await statuses(sync)).toEqual(['queued']);
  // The second schedule of a sync waits for what the first has started.
  expect(await statuses(twice)).toEqual(['queued']);
  await world.end(twice);
  await Promise.all(servers.map((db) => world.startAllDue(db)));
  expect(await statuses(twice)).toEqual(['completed', 'queued']);
});

test('nor does a start that ends at once leave room for a second one', async () => {
  await using other = openServer();
  const syncs = await Promise.all(Array.from({ length: 20 }, () => world.save([{ frequency: 'daily' }])));
  for (const sync of syncs) await world.due(sync);
  const starter: Starter = async (tx, schedule) => {
    await world.starters.model(tx, schedule);
    await tx
      .updateTable('executions')
      .set({ status: 'completed' })
      .where('sync_id', '=', schedule.syncId)
      .execute();
  };
  const servers = [world.db, other.db, world.db, other.db];
  await Promise.all(servers.map((db) => world.startAllDue(db, { model: starter, bulk: starter })));
  for (const sync of syncs) expect(await statuses(sync)).toEqual(['completed']);
});

test('a start that comes due while the sync runs happens once, right after', async () => {
  const sync = await world.save([{ frequency: 'hourly' }]);
  await world.startByHand(sync);
  await world.due(sync, '0 seconds');
  await world.startAllDue();
  expect(await statuses(sync)).toEqual(['queued']);
  expect(await world.untilNext(sync)).toBeLessThan(0);
  await world.end(sync, 'failed');
  await world.startAllDue();
  expect(await statuses(sync)).toEqual(['failed', 'queued']);
  expect(await world.untilNext(sync)).toBeGreaterThan(0);
});

test('an execution begun by hand after the due time takes the place of the start, if it is a whole one', async () => {
  const sync = await world.save([{ frequency: 'hourly' }]);
  await world.due(sync);
  await world.startByHand(sync, { test: true });
  await world.startAllDue();
  expect(await world.untilNext(sync)).toBeLessThan(0);
  await world.end(sync);
  await world.startByHand(sync, { schemas: ['one'] });
  await world.startAllDue();
  expect(await world.untilNext(sync)).toBeLessThan(0);
  await world.end(sync);
  await world.startByHand(sync);
  await world.startAllDue();
  expect(await world.untilNext(sync)).toBeGreaterThan(0);
  await world.end(sync);
  await world.startAllDue();
  expect(await world.executions(sync)).toHaveLength(3);

  const resync = await world.save([{ frequency: 'hourly', resync_mode: 'rebuild' }]);
  await world.due(resync);
  await world.startByHand(resync);
  await world.end(resync);
  await world.startAllDue();
  expect(await statuses(resync)).toEqual(['completed', 'queued']);
});

test('a server killed between a start and its next time loses nothing and doubles nothing', async () => {
  const sync = await world.save([{ frequency: 'daily' }]);
  await world.due(sync);
  let started = 0;
  const killed: Starter = async (tx, schedule) => {
    await world.starters.model(tx, schedule);
    started++;
    await sql`select pg_terminate_backend(pg_backend_pid())`.execute(tx);
  };
  await expect(world.startAllDue(world.db, { model: killed, bulk: killed })).rejects.toThrow();
  expect(started).toBe(1);
  expect(await statuses(sync)).toEqual([]);
  await world.startAllDue();
  expect(await statuses(sync)).toEqual(['queued']);
  expect(await world.untilNext(sync)).toBeGreaterThan(0);
});

test('a schedule that cannot be carried out keeps no other waiting', async () => {
  const [broken, empty, fine] = [
    await world.save([{ frequency: 'daily' }]),
    await world.save([{ frequency: 'daily' }]),
    await world.save([{ frequency: 'daily' }]),
  ];
  await world.due(broken, '3 hours');
  await world.due(empty, '2 hours');
  await world.due(fine, '1 hour');
  const starter: Starter = async (tx, schedule) => {
    if (schedule.syncId === broken) throw new TypeError('a bug');
    if (schedule.syncId === empty) throw new TidemarkError('bad_request', { reason: 'nothing to do' });
    await world.starters.model(tx, schedule);
  };
  await world.startAllDue(world.db, { model: starter, bulk: starter });
  expect(await statuses(fine)).toEqual(['queued']);
  // The one is tried again in a minute, the other has been passed over.
  expect(await world.untilNext(broken)).toBeGreaterThan(0);
  expect(await world.untilNext(broken)).toBeLessThan(61_000);
  expect([await statuses(broken), await statuses(empty)]).toEqual([[], []]);
  const [schedule] = await world.schedules(empty);
  expect(schedule?.nextRunAt).toMatch(/T00:00:00/);
});

test('saving again puts nothing off and makes nothing anew; a new time counts at once', async () => {
  const daily = { frequency: 'daily' as const, hour: '05' };
  const extra = { frequency: 'continuous' as const, schemas: ['one'] };
  const sync = await world.save([daily, extra]);
  await world.startAllDue();
  await world.end(sync);
  const before = await world.schedules(sync);
  await world.save([daily, extra], sync);
  expect(await world.schedules(sync)).toEqual(before);
  await world.save([{ frequency: 'hourly' }, { ...extra, schemas: ['two'] }], sync);
  const after = await world.schedules(sync);
  expect(after.map(({ isDefault }) => isDefault)).toEqual([true, false]);
  expect(after[0]?.id).toBe(before[0]?.id);
  expect(after[1]?.id).not.toBe(before[1]?.id);
  expect(await world.untilNext(sync)).toBeLessThanOrEqual(hour);
});
