import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { until } from '../../test/support/until.ts';

let harness: BulkHarness;
beforeAll(async () => {
  harness = await bulkHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

test.each([
  { limits: { concurrency_limit: 1 }, options: {}, expected: 1 },
  { limits: {}, options: {}, expected: 2 },
  { limits: { concurrency_limit: 1, resync_concurrency_limit: 3 }, options: {}, expected: 1 },
  {
    limits: { concurrency_limit: 1, resync_concurrency_limit: 3 },
    options: { resync_mode: 'resync' },
    expected: 3,
  },
  { limits: { concurrency_limit: 4 }, options: { resync_mode: 'resync' }, expected: 4 },
])('tables at a time: $limits with $options', async ({ limits, options, expected }) => {
  const views = [1, 2, 3, 4].map(
    (n) => `create view v${n} as select ${n} as id, pg_advisory_xact_lock_shared(42)::text as gate`,
  );
  const { source, start } = await bulkSyncs(harness)(views.join(';'), limits);
  const gate = await source.hold('select pg_advisory_xact_lock(42)');
  const execution = await start(options);
  const { outcome } = harness.begin(execution.id);
  const waiting = async () =>
    (
      await source.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
      )
    ).length;
  await until(async () => (await waiting()) === expected);
  const statuses = (await harness.schemas(execution.id)).map(({ status }) => status).sort();
  // Neither more nor fewer have begun.
  expect(statuses).toEqual([...Array(4 - expected).fill('created'), ...Array(expected).fill('running')]);
  await gate.release();
  expect(await outcome).toEqual({ status: 'completed' });
});
