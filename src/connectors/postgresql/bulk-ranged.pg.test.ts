import { expect, test } from 'vitest';
import { execution, outputOf, type Pair, pair, planOf, tablesOf } from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';
import type { BulkOutput, BulkRange, BulkTable, LoadPlan, TableLoad } from '../contract.ts';

const rows = 20_000;
const filled = `create table t as select i as id, md5(i::text) as a from generate_series(1, ${rows}) i; alter table t add primary key (id)`;

interface Ranged extends Pair {
  table: BulkTable;
  ranges: BulkRange[];
  begin(plan?: Partial<LoadPlan>, output?: Partial<BulkOutput>): Promise<TableLoad>;
  write(load: TableLoad, range: BulkRange): Promise<number>;
}

async function ranged(sql = filled): Promise<Ranged> {
  const both = await pair(sql);
  const table = await both.from.table('public.t', undefined);
  const ranges = (await both.from.ranges?.(table, rows / 5)) ?? [];
  expect(ranges.length).toBeGreaterThan(3);
  return {
    ...both,
    table,
    ranges,
    begin: (plan, output) =>
      both.to.load({ ...outputOf(table), ...output }, planOf({ ranged: true, ...plan })),
    write: async (load, range) => {
      const stream = await both.from.read(table, 'pg-binary', { range });
      try {
        return (await load.write(stream, 'pg-binary', range)).rows;
      } finally {
        stream.destroy();
      }
    },
  };
}

const writeAll = (all: Ranged, load: TableLoad) =>
  Promise.all(all.ranges.filter(({ id }) => !load.stored.has(id)).map((range) => all.write(load, range)));

const parity = async ({ source, destination }: Pair) =>
  expect(await contentHash(destination, 'copy.t')).toEqual(await contentHash(source, 't'));

const entries = ({ destination }: Pair) =>
  destination.query(`select entry from copy._tidemark_state where name = 't' order by entry`);

test('ranges are written at the same time and become live together', async () => {
  const all = await ranged();
  const load = await all.begin({}, { syncedAt: '_tidemark_synced_at', deletedAt: '_tidemark_deleted_at' });
  expect(load.stored.size).toBe(0);
  const counts = await writeAll(all, load);
  expect(counts.reduce((total, count) => total + count)).toBe(rows);
  expect(await all.to.standing({ schema: 'copy', name: 't' })).toBeUndefined();
  expect(await load.commit({ at: '1' })).toEqual({ rows, inserted: rows, changes: [] });
  await parity(all);
  expect(await all.to.standing({ schema: 'copy', name: 't' })).toEqual({ position: { at: '1' } });
  expect(await entries(all)).toEqual([{ entry: 'position' }]);
  expect(await tablesOf(all.destination)).toEqual(['copy.t']);
  expect(
    await all.destination.query(
      `select conname from pg_constraint where conrelid = 'copy.t'::regclass and contype = 'p'`,
    ),
  ).toEqual([{ conname: 't_pkey' }]);
});

test('a run that takes over goes on with the ranges that are stored, and ends the sessions of the one before', async () => {
  const all = await ranged();
  const stalled = await all.begin();
  const [first, second, third] = all.ranges as [BulkRange, BulkRange, BulkRange];
  const written = [await all.write(stalled, first), await all.write(stalled, second)];
  const open = await all.destination.hold(
    `lock table copy.${(await sides(all))[0]} in access exclusive mode`,
  );
  const hanging = expect(all.write(stalled, third)).rejects.toMatchObject({ name: 'ConnectionLost' });
  // In the middle of the range, and not in a session that waits for one.
  const blocked = `select 1 from pg_stat_activity where application_name like 'tidemark load ${execution} %'
    and datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(() => all.destination.query(blocked), { timeout: 20_000 }).toHaveLength(1);

  const next = all.begin();
  await hanging;
  await open.release();
  const load = await next;
  expect([...load.stored]).toEqual(
    expect.arrayContaining([
      [first.id, written[0]],
      [second.id, written[1]],
    ]),
  );
  expect(load.stored.size).toBe(2);
  await writeAll(all, load);
  await load.commit({});
  await parity(all);
});

test('a worker that was thought dead stores nothing, commits nothing and drops nothing', async () => {
  const all = await ranged();
  const stalled = await all.begin();
  const [first] = all.ranges as [BulkRange];
  await all.write(stalled, first);
  const load = await all.begin();
  await expect(all.write(stalled, all.ranges[1] as BulkRange)).rejects.toThrow(
    'was taken over by another worker',
  );
  await expect(stalled.commit({})).rejects.toMatchObject({ name: 'ConnectionLost' });
  await stalled.discard();
  expect([...load.stored.keys()]).toEqual([first.id]);
  await writeAll(all, load);
  await load.commit({});
  await parity(all);
});

test('a range that is written again, because the answer to its commit was lost, is there once', async () => {
  const all = await ranged();
  const load = await all.begin();
  const [first] = all.ranges as [BulkRange];
  const count = await all.write(load, first);
  expect(await all.write(load, first)).toBe(count);
  for (const range of all.ranges.slice(1)) await all.write(load, range);
  await load.commit({});
  await parity(all);
});

const sides = async ({ destination }: Pair) =>
  (
    await destination.query<{ name: string }>(
      `select relname as name from pg_class where relname ~ '^_tidemark_[0-9a-f]{16}$' and relkind = 'r'`,
    )
  ).map(({ name }) => name);

test('stored ranges outlive an abort; a discard, other columns, another execution or a load as a whole remove them', async () => {
  const all = await ranged();
  const [first] = all.ranges as [BulkRange];
  const aborted = await all.begin();
  await all.write(aborted, first);
  await aborted.abort();
  expect((await all.begin()).stored.size).toBe(1);
  const narrow = await all.begin({}, { columns: all.table.columns.slice(0, 1) });
  expect(narrow.stored.size).toBe(0);
  expect(await sides(all)).toHaveLength(1);
  await narrow.discard();
  expect(await sides(all)).toEqual([]);
  expect(await entries(all)).toEqual([]);

  const left = await all.begin();
  await all.write(left, first);
  await left.abort();
  const other = await all.begin({ executionId: '0198a5a0-0000-7000-8000-000000000002' });
  expect(other.stored.size).toBe(0);
  expect(await sides(all)).toHaveLength(1);
  await all.write(other, first);
  await other.abort();
  const whole = await all.begin({ executionId: '0198a5a0-0000-7000-8000-000000000003', ranged: false });
  expect(await entries(all)).toEqual([]);
  await whole.discard();
  expect(await sides(all)).toEqual([]);
});

test('a load of another table that nobody went on with for days is removed', async () => {
  const all = await ranged();
  const forsaken = await all.begin({}, { name: 'u' });
  await all.destination.query(
    `update copy._tidemark_state set value = jsonb_set(value, '{started}', '"2024-01-01T00:00:00Z"') where name = 'u'`,
  );
  const load = await all.begin();
  expect(await sides(all)).toHaveLength(2);
  await forsaken.abort();
  const gone = `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
  await load.abort();
  await expect.poll(() => all.destination.query(gone), { timeout: 20_000 }).toEqual([]);
  await (await all.begin()).discard();
  expect(await sides(all)).toEqual([]);
});

test('ranges are merged into a table that is there, and refused before their rows when they do not fit', async () => {
  const all = await ranged();
  const first = await all.begin({ mode: 'merge', missing: 'remove' });
  await writeAll(all, first);
  expect(await first.commit({})).toMatchObject({ inserted: rows });
  await all.source.query(
    `update t set a = 'new' where id <= 10; delete from t where id > ${rows - 5}; insert into t values (0, 'zero')`,
  );
  const [before] = await all.destination.query(`select 'copy.t'::regclass::oid as oid`);
  const second = await all.begin({ mode: 'merge', missing: 'remove' });
  await writeAll(all, second);
  expect(await second.commit({})).toEqual({
    ...{ rows: 19_996, inserted: 1, updated: 10, deleted: 5, changes: [] },
  });
  await parity(all);
  expect(await all.destination.query(`select 'copy.t'::regclass::oid as oid`)).toEqual([before]);
  expect(await tablesOf(all.destination)).toEqual(['copy.t']);
  await all.destination.query('alter table copy.t alter a type timestamptz using now()');
  await expect(all.begin({ mode: 'merge' })).rejects.toThrow(
    'column a is timestamp with time zone in copy.t and text in the source',
  );
  expect(await tablesOf(all.destination)).toEqual(['copy.t']);
});

test('rows that share a key fail the load at its end', async () => {
  const all = await ranged(
    'create table t as select i as id, i % 1000 as a from generate_series(1, 20000) i; alter table t add primary key (id)',
  );
  const load = await all.begin({}, { primaryKey: ['a'] });
  await writeAll(all, load);
  await expect(load.commit({})).rejects.toThrow('The key (a) of copy.t has a value twice');
  await load.discard();
  expect(await tablesOf(all.destination)).toEqual([]);
});

test('another execution waits for its turn', async () => {
  const all = await ranged();
  const load = await all.begin();
  const other = all.begin({ executionId: '0198a5a0-0000-7000-8000-000000000002' });
  const waiting = `select 1 from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`;
  await expect.poll(() => all.destination.query(waiting), { timeout: 20_000 }).toHaveLength(1);
  await writeAll(all, load);
  await load.commit({});
  await (await other).discard();
  await parity(all);
});
