import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAgainAndAgain } from '../../test/support/bulk-kills.ts';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import type { TestDatabase } from '../../test/support/database.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const rows = 200_000;
const kills = 30;
const table = `
  create table big (id bigint primary key, payload text not null, amount numeric, at timestamptz);
  insert into big select i * 3, repeat(md5(i::text), 3), i / 7.0, timestamptz '2024-01-01' + i * interval '1 second 1 us'
  from generate_series(1, ${rows}) i; analyze big`;

/** Ranges that are stored for good, as the destination has it. */
const storedRanges = (destination: TestDatabase) =>
  destination
    .query<{ n: number }>(`select count(*)::int as n from copy._tidemark_state where entry like 'range%'`)
    .then(([row]) => row?.n ?? 0)
    .catch(() => 0);

test(`workers killed ${kills} times in the middle of a table: no row is missing, none is there twice`, async () => {
  const { source, destination, run, start: startSync } = await syncOf(table);
  // A worker that is slow to die may finish; then the table is loaded once more.
  for (let killed = 0; killed < kills; ) {
    const execution = await startSync({ resync_mode: 'rebuild' });
    const progress = await killAgainAndAgain(harness, execution.id, {
      kills: kills - killed,
      seen: () => storedRanges(destination),
    });
    killed += progress.length;
    const { outcome, schemas } = await harness.run(execution.id);
    expect(outcome).toEqual({ status: 'completed' });
    expect(schemas).toMatchObject([{ status: 'completed', record_count: rows }]);
    expect(await contentHash(destination, 'copy.big')).toEqual(await contentHash(source, 'big'));
    expect(await storedRanges(destination)).toBe(0);
  }
  expect((await run()).schemas).toMatchObject([{ status: 'completed', record_count: rows }]);
});

test('both databases lose all their sessions again and again: the same execution goes on and completes', async () => {
  const { source, destination, start: startSync } = await syncOf(table);
  const execution = await startSync();
  const running = harness.begin(execution.id).outcome;
  let over = false;
  void running.then(() => {
    over = true;
  });
  const lost = async () =>
    (await harness.console(execution.id)).entries.filter(({ message }) => message.startsWith('Lost')).length;
  for (const [time, database] of [source, destination, source, destination].entries()) {
    // Until it was noticed: a session that has given its last byte is not missed.
    const drop = async () => {
      await database.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name like 'tidemark%' and state = 'active'`,
      );
      return lost();
    };
    await expect.poll(drop, { interval: 20 }).toBe(time + 1);
    const stored = await storedRanges(destination);
    // After the last time it may be done before it is looked at again.
    const goesOn = async () => over || (await storedRanges(destination)) > stored;
    await expect.poll(goesOn).toBe(true);
  }
  expect(await running).toEqual({ status: 'completed' });
  expect(await contentHash(destination, 'copy.big')).toEqual(await contentHash(source, 'big'));
});

test('a table is copied while it is written to: rows that stay arrive, and the next run makes the copy equal', async () => {
  const { source, destination, run } = await syncOf(table);
  let writing = true;
  const writer = async (seed: number) => {
    for (let n = seed; writing; n += 2) {
      await source.query(`
        insert into big values (${n * 3 + 1}, 'new', 1, now());
        update big set payload = 'changed ' || ${n}, at = clock_timestamp() where id = ${(n * 997) % (rows * 3)} and id % 9 = 0;
        delete from big where id = ${(n * 991) % (rows * 3)} and id % 9 = 3`);
    }
  };
  const writers = [writer(1), writer(2)];
  const first = await run();
  writing = false;
  await Promise.all(writers);
  expect(first.outcome).toEqual({ status: 'completed' });
  // Rows that nobody touched are there, once.
  const untouched = `select count(*)::int as n, sum(id)::text as sum from %s where id % 9 = 6`;
  expect(await destination.query(untouched.replace('%s', 'copy.big'))).toEqual(
    await source.query(untouched.replace('%s', 'big')),
  );
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await contentHash(destination, 'copy.big')).toEqual(await contentHash(source, 'big'));
});
