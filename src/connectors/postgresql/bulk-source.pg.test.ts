import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { connectTo } from '../../../test/support/bulk-pair.ts';
import { testDatabase } from '../../../test/support/database.ts';
import type { BulkRange, BulkRead, BulkSource, BulkTable } from '../contract.ts';
import { bulkSource } from './bulk-source.ts';

async function sourceOf(sql: string) {
  const source = await testDatabase();
  await source.query(sql);
  return { source, from: bulkSource(connectTo(source)) };
}

/** COPY lines of what a read gives. */
async function lines(from: BulkSource, table: BulkTable, read: BulkRead): Promise<string[]> {
  const chunks = await Array.fromAsync(await from.read(table, 'copy-text', read));
  return Buffer.concat(chunks).toString().split('\n').slice(0, -1);
}

test('the bound of a tracking field is its greatest ordinary value, in full', async () => {
  const { from } = await sourceOf(`
    create domain moment as timestamptz;
    create table t (tz moment, ts timestamp, d date, i bigint, n numeric, f double precision, x text, c text collate "C", u uuid, j jsonb, gone int);
    insert into t values
      ('2024-01-01 00:00:00.000001+05:30', '2024-01-01 00:00:00.000001', '2024-01-01', 9007199254740993, 1.10, 0.1, 'a', 'a', 'ffffffff-0000-0000-0000-000000000000', '1'),
      ('infinity', '9999-12-31', 'infinity', null, 'NaN', 'NaN', 'B', 'B', null, '2'),
      ('-infinity', null, 'epoch', 5, 'Infinity', 'Infinity', null, null, null, null);
    create table empty (at timestamptz)`);
  const table = await from.table('public.t', undefined);
  const bounds = ['tz', 'ts', 'd', 'i', 'n', 'f', 'c', 'u'].map((field) =>
    from.trackingBound?.(table, field),
  );
  expect(await Promise.all(bounds)).toEqual([
    '2023-12-31 18:30:00.000001+00',
    '2024-01-01 00:00:00.000001',
    '2024-01-01',
    '9007199254740993',
    '1.10',
    '0.1',
    'a',
    'ffffffff-0000-0000-0000-000000000000',
  ]);
  expect(await from.trackingBound?.(await from.table('public.empty', undefined), 'at')).toBeUndefined();
  await expect(from.trackingBound?.(table, 'j')).rejects.toMatchObject({ key: 'invalid_field' });
  await expect(from.trackingBound?.(table, 'none')).rejects.toThrow('none is no field of the table any more');
});

test('a tracking read takes rows from the bound on, times with an overlap, and those without a value', async () => {
  const { from } = await sourceOf(`
    create table t (id int, tz timestamptz, ts timestamp, d date, i int, x text not null);
    insert into t values
      (1, '2024-01-01 11:59:59', '2024-01-01 11:59:59', '2023-12-31', 1, 'a'),
      (2, '2024-01-01 12:00:00', '2024-01-01 12:00:00', '2024-01-01', 1, 'b'),
      (3, '2024-01-01 12:01:00.000001', '2024-01-01 12:01:00.000001', '2024-01-02', 2, 'c'),
      (4, null, null, null, null, 'd'), (5, 'infinity', 'infinity', 'infinity', 3, 'e')`);
  const table = await from.table('public.t', ['id']);
  const read = (field: string, bound: string, overlapSeconds = 60) =>
    lines(from, table, { tracking: { field, from: bound, overlapSeconds } });
  expect(await read('tz', '2024-01-01 12:01:00+00')).toEqual(['2', '3', '4', '5']);
  expect(await read('tz', '2024-01-01 12:01:00.000001+00')).toEqual(['3', '4', '5']);
  expect(await read('tz', '2024-01-01 12:01:00.000001+00', 0)).toEqual(['3', '4', '5']);
  expect(await read('ts', '2024-01-01 12:01:00')).toEqual(['2', '3', '4', '5']);
  expect(await read('d', '2024-01-02')).toEqual(['2', '3', '4', '5']);
  expect(await read('i', '2')).toEqual(['3', '4', '5']);
  expect(await read('x', 'd')).toEqual(['4', '5']);
});

test('a filter goes with everything else that is asked, and may name fields that are not read', async () => {
  const { from } = await sourceOf(`
    create table t as select i as id, i % 3 as kind, nullif(i % 2, 0) as odd, 'n' || i as name from generate_series(1, 6000) i;
    alter table t add primary key (id)`);
  const table = await from.table('public.t', ['id']);
  const filter: BulkRead['filter'] = {
    or: [
      { field: 'kind', function: 'Equality', value: '1' },
      { not: { field: 'odd', function: 'IsNotNull', value: null } },
    ],
  };
  const wanted = (id: number) => id % 3 === 1 || id % 2 === 0;
  const ids = Array.from({ length: 6000 }, (_, index) => index + 1).filter(wanted);
  const sorted = (list: string[]) => list.map(Number).toSorted((a, b) => a - b);
  expect(sorted(await lines(from, table, { filter }))).toEqual(ids);
  const ranges = (await from.ranges?.({ ...table, primaryKey: ['id'] }, 1000)) ?? [];
  const parts = await Promise.all(ranges.map((range) => lines(from, table, { range, filter })));
  expect(sorted(parts.flat())).toEqual(ids);
  const tracking = { field: 'id', from: '5990', overlapSeconds: 0 };
  expect(sorted(await lines(from, table, { tracking, filter }))).toEqual(ids.filter((id) => id >= 5990));
  const wrong: BulkRead['filter'] = { field: 'gone', function: 'IsNull', value: null };
  await expect(lines(from, table, { filter: wrong })).rejects.toMatchObject({ key: 'invalid_field' });
});

test('an obfuscated value is the digest of salt and text, and the salt stands in no statement', async () => {
  const { source, from } = await sourceOf(`
    create table t (id int primary key, a text, n numeric(10, 4), tz timestamptz);
    insert into t values (1, 'Zoë 🌊', 1, '2024-01-01 05:30:00+05:30'), (2, null, null, null), (3, '', 'NaN', 'infinity');
    insert into t select i, repeat('x', 10000) from generate_series(4, 1000) i`);
  const salt = `pepper's "salt" 🧂`;
  const all = await from.table('public.t', undefined);
  const columns = all.columns.map((column) =>
    column.name === 'id' ? column : { ...column, type: 'text', obfuscated: true },
  );
  const digest = (text: string) => createHash('sha256').update(`${salt}${text}`).digest('hex');
  const table = { ...all, columns };
  expect((await lines(from, table, { salt })).slice(0, 3)).toEqual([
    ['1', digest('Zoë 🌊'), digest('1.0000'), digest('2024-01-01 00:00:00+00')].join('\t'),
    ['2', '\\N', '\\N', '\\N'].join('\t'),
    ['3', digest(''), digest('NaN'), digest('infinity')].join('\t'),
  ]);
  const open = await from.read({ ...all, columns: [...columns, ...all.columns] }, 'pg-binary', { salt });
  await expect.poll(() => open.rows, { timeout: 20_000 }).toBeGreaterThan(0);
  const statements = await source.query<{ query: string }>(
    `select query from pg_stat_activity where application_name = 'tidemark bulk read' and datname = current_database()`,
  );
  open.destroy();
  expect(statements).toContainEqual({ query: expect.stringMatching(/^copy/) });
  expect(JSON.stringify(statements)).not.toContain('pepper');
});

const keys = {
  int: 'i',
  bigint: 'i * 900719925474099',
  numeric: 'i / 7.0',
  uuid: 'md5(i::text)::uuid',
  text: `chr(65 + i % 60) || ' ' || i`,
  'varchar(20) collate "C"': `chr(65 + i % 60) || '''' || i`,
  'char(12)': 'chr(65 + i % 60) || i',
  date: `date '2000-01-01' - 5000 + i`,
  timestamp: `timestamp '2000-01-01' + i * interval '1.000001 s'`,
  timestamptz: `timestamptz '2000-01-01' - i * interval '1.000001 s'`,
};

test('ranges by a key of any type have every row in exactly one', async () => {
  const tables = Object.entries(keys).map(
    ([type, value], index) => `
      create table t${index} as select (${value})::${type} as "the ""key""", i from generate_series(-3000, 3000) i;
      alter table t${index} add primary key ("the ""key""");`,
  );
  const { from } = await sourceOf(tables.join(''));
  for (const [index, type] of Object.keys(keys).entries()) {
    const table = await from.table(`public.t${index}`, undefined);
    const ranges = (await from.ranges?.(table, 1000)) ?? [];
    expect(ranges.length, type).toBeGreaterThan(4);
    expect(new Set(ranges.map(({ id }) => id)).size).toBe(ranges.length);
    const parts = await Promise.all(ranges.map((range) => lines(from, table, { range })));
    expect(parts.flat().toSorted(), type).toEqual((await lines(from, table, {})).toSorted());
    expect(Math.max(...parts.map(({ length }) => length)), type).toBeLessThan(3000);
  }
});

test('a row that stays as it is is in one range, whatever else is written between the reads', async () => {
  const { source, from } = await sourceOf(
    'create table t as select i as id, 0 as a from generate_series(1, 20000) i; alter table t add primary key (id)',
  );
  await source.query('vacuum analyze t');
  const table = await from.table('public.t', undefined);
  expect(table.estimatedRows).toBe(20_000);
  const ranges = (await from.ranges?.(table, 4000)) ?? [];
  expect(ranges).toHaveLength(5);
  const read: string[] = [];
  for (const [turn, range] of (JSON.parse(JSON.stringify(ranges)) as BulkRange[]).entries()) {
    read.push(...(await lines(from, table, { range })));
    await source.query(`delete from t where id % 10 = 1 and id > ${turn * 4000};
      update t set a = a + 1 where id % 10 = 2; insert into t values (${-turn}, 0), (${100_000 + turn}, 0)`);
    await source.query('vacuum full t');
  }
  const ids = read.map((line) => Number(line.split('\t')[0]));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => id % 10 > 1 && id > 0 && id <= 20_000)).toHaveLength(16_000);
});

test('partitions, nullable keys and odd divisions; none where a range could not be sought', async () => {
  const { from } = await sourceOf(`
    create table parted (id bigint, at date, primary key (id, at)) partition by hash (id);
    create table p0 partition of parted for values with (modulus 2, remainder 0);
    create table p1 partition of parted for values with (modulus 2, remainder 1);
    insert into parted select i, 'epoch' from generate_series(1, 10000) i;
    create table lumps (kind int, id int, primary key (kind, id));
    insert into lumps select case when i % 10 = 0 then i else 7 end, i from generate_series(1, 10000) i;
    create table nulls (id int); insert into nulls select nullif(i % 5000, 0) from generate_series(1, 10000) i;
    create view v as select * from lumps; create materialized view m as select * from lumps;
    create table bare as select * from lumps; create table flags (f boolean primary key)`);
  const tableOf = async (name: string, primaryKey?: string[]) => {
    const table = await from.table(`public.${name}`, undefined);
    return primaryKey === undefined ? table : { ...table, primaryKey, estimatedRows: 10_000 };
  };
  const check = async (table: BulkTable) => {
    const ranges = (await from.ranges?.(table, 2000)) ?? [];
    const parts = await Promise.all(ranges.map((range) => lines(from, table, { range })));
    if (ranges.length > 0) expect(parts.flat().toSorted()).toEqual((await lines(from, table, {})).toSorted());
    return ranges.length;
  };
  const parted = await tableOf('parted');
  expect(parted.estimatedRows).toBeGreaterThan(5000);
  expect(await check(parted)).toBeGreaterThan(3);
  expect(await check(await tableOf('lumps'))).toBeGreaterThan(1);
  for (const name of ['nulls', 'v', 'm', 'bare']) expect(await check(await tableOf(name, ['id']))).toBe(0);
  expect(await check(await tableOf('flags', ['f']))).toBe(0);
  expect(await check(await tableOf('parted', []))).toBe(0);
});

test('a key that is not NOT NULL has its NULLs in a range, too', async () => {
  const { from } = await sourceOf(`
    create table t (id int unique, a int); insert into t select nullif(i % 9000, 0), i from generate_series(1, 8999) i;
    insert into t select null, 1 from generate_series(1, 5)`);
  const table = { ...(await from.table('public.t', undefined)), primaryKey: ['id'] };
  const ranges = (await from.ranges?.(table, 2000)) ?? [];
  const parts = await Promise.all(ranges.map((range) => lines(from, table, { range })));
  expect(parts.flat()).toHaveLength(9004);
});

test('a reader that gives no chunk back does not keep the table in memory', async () => {
  const { from } = await sourceOf(
    `create view wide as select repeat('x', 1000) as a from generate_series(1, 60000)`,
  );
  const rows = await from.read(await from.table('public.wide', undefined), 'copy-text', {});
  setFlagsFromString('--expose-gc');
  const held = () => {
    runInNewContext('gc')();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  let bytes = 0;
  for await (const chunk of rows) bytes += chunk.length;
  expect(bytes).toBe(60_000 * 1001);
  // V8 frees memory in a thread of its own.
  await expect.poll(held).toBeLessThan(before + 20_000_000);
  // It is still there: what it held is not.
  expect(rows.rows).toBe(60_000);
});
