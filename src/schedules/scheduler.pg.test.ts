import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { startSchedules } from '../../test/support/schedules.ts';
import { startScheduler } from './scheduler.ts';
import type { Starter } from './start-due.ts';

test('it wakes up for a change, for a time that has come, and for the end of what is waited for', async () => {
  await using world = await startSchedules();
  let resolve: (start: { sync: string; at: string }) => void = () => {};
  /** The next start that is made. */
  const nextStart = () =>
    new Promise<{ sync: string; at: string }>((done) => {
      resolve = done;
    });
  const starter: Starter = async (tx, schedule) => {
    await world.starters.model(tx, schedule);
    const { rows } = await sql<{ at: string }>`select clock_timestamp() as at`.execute(tx);
    resolve({ sync: schedule.syncId, at: rows[0]?.at ?? '' });
  };
  const deps = { db: world.db, databaseUrl: world.url, log: world.log };
  const scheduler = await startScheduler(deps, { model: starter, bulk: starter });

  let started = nextStart();
  const changed = await world.save([{ frequency: 'continuous' }]);
  expect((await started).sync).toBe(changed);

  started = nextStart();
  const timed = await world.save([{ frequency: 'daily' }]);
  const { rows } = await sql<{ due: string }>`
    update schedules set next_run_at = clock_timestamp() + interval '300 ms' where sync_id = ${timed}
    returning next_run_at as due, pg_notify('tidemark_schedules', '')`.execute(world.db);
  const { sync, at } = await started;
  expect(sync).toBe(timed);
  expect(at >= (rows[0]?.due ?? '~')).toBe(true);

  // Due again while it runs: its end is what the start waits for.
  started = nextStart();
  await world.due(timed);
  await world.end(timed);
  expect((await started).sync).toBe(timed);
  await scheduler.stop();
});
