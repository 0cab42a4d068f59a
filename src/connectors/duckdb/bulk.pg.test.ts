import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { connectTo, outputOf, planOf } from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { queryDuckDB } from '../../../test/support/duckdb.ts';
import { decodeCopyText } from '../../lib/copy-text.ts';
import type { BulkColumn, BulkOutput, LoadPlan, RowStream, Session } from '../contract.ts';
import { bulkDestination } from '../postgresql/bulk-destination.ts';
import { bulkSource } from '../postgresql/bulk-source.ts';
import { bulkSource as duckdbSource } from './bulk-source.ts';
import { database } from './database.ts';
import { duckdb } from './index.ts';

/** A file, the connector's ends of it, and a way to look at it that does not go through the connector. */
async function file(name = 'x.duckdb') {
  const folder = await mkdtemp(path.join(tmpdir(), 'duckdb-bulk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const session = duckdb.open({ database: name }, { folder } as Parameters<typeof duckdb.open>[1]);
  onTestFinished(() => session.close());
  const query = (sql: string) => queryDuckDB(path.join(folder, name), sql);
  return { folder, query, ...endsOf(session) };
}

function endsOf({ bulkSource: from, bulkDestination: to }: Session) {
  if (from === undefined || to === undefined) throw new Error('no bulk');
  return { from, to };
}

type Target = Awaited<ReturnType<typeof file>>;

const columnsOf = (types: Record<string, string>): BulkColumn[] =>
  Object.entries(types).map(([name, type]) => ({ name, outputName: name, type, nullable: true }));

const rowsOf = (...lines: string[]): RowStream =>
  Object.assign(Readable.from([Buffer.from(lines.map((line) => `${line}\n`).join(''))]), {
    rows: lines.length,
    bytes: 0,
    sent: lines.length,
  });

/** Loads lines into main.t. */
async function load(
  { to }: Target,
  types: Record<string, string>,
  lines: string[],
  {
    plan,
    output,
    position = {},
  }: { plan?: Partial<LoadPlan>; output?: Partial<BulkOutput>; position?: object } = {},
) {
  const wanted: BulkOutput = {
    origin: undefined,
    schema: 'main',
    name: 't',
    columns: columnsOf(types),
    primaryKey: ['id'],
    ...output,
  };
  const loading = await to.load(wanted, planOf(plan));
  try {
    const { rows, warnings } = await loading.write(rowsOf(...lines), 'copy-text');
    return { ...(await loading.commit({ ...position })), rows, warnings };
  } catch (error) {
    await loading.discard();
    throw error;
  }
}

const own = { syncedAt: '_synced', deletedAt: '_deleted' };

test('a table goes to a file and back; what was in the file is replaced as a whole', async () => {
  const [source, back, target] = [await testDatabase(), await testDatabase(), await file()];
  await source.query(`create table t (id bigint primary key, n numeric(30,4), t text, ts timestamptz, a text[], j jsonb, b bytea);
    insert into t select i, i / 7.0, 'row ' || i || E'\\t\\\\', to_timestamp(i), array['a', null, i::text], jsonb_build_object('i', i), int8send(i)
    from generate_series(1, 50000) i`);
  const from = bulkSource(connectTo(source));
  const table = await from.table('public.t', undefined);
  for (const name of ['t', 't']) {
    const loading = await target.to.load(outputOf(table, 'copy', name), planOf());
    const written = await loading.write(await from.read(table, 'copy-text', {}), 'copy-text');
    expect(written).toEqual({ rows: 50_000, warnings: [] });
    expect(await loading.commit({ at: 1 })).toEqual({ rows: 50_000, inserted: 50_000, changes: [] });
  }
  expect(await target.to.standing({ schema: 'copy', name: 't' })).toEqual({ position: { at: 1 } });
  expect(await readdir(path.join(target.folder, '.tidemark'))).toEqual([]);

  const there = await target.from.table('copy.t', undefined);
  expect(there).toMatchObject({ primaryKey: ['id'], estimatedRows: 50_000, formats: ['copy-text'] });
  expect(there.columns.map(({ type }) => type)).toEqual([
    'bigint',
    'numeric(30,4)',
    'text',
    'timestamp with time zone',
    'text[]',
    'json',
    'bytea',
  ]);
  const returning = await bulkDestination(connectTo(back)).load(outputOf(there), planOf());
  await returning.write(await target.from.read(there, 'copy-text', {}), 'copy-text');
  await returning.commit({});
  await back.query('alter table copy.t alter j type jsonb');
  expect(await contentHash(back, 'copy.t')).toEqual(await contentHash(source, 't'));
});

test('a merge refuses a key that several rows of the live table have, and leaves them as they are', async () => {
  const target = await file();
  const types = { id: 'integer', v: 'text' };
  const merge = (rows: string[]) => load(target, types, rows, { plan: { mode: 'merge' }, output: own });
  await merge(['1\ta', '2\tb']);
  // Nothing in the file keeps somebody from it: tables that are loaded have no index.
  await target.query(`insert into t (id, v) values (1, 'mine')`);
  const rows = () => target.query('select id, v from t order by id, v');
  const before = await rows();
  await expect(merge(['1\tnew', '2\tnew'])).rejects.toThrow(
    /key \(id\) has a value in several rows of main\.t: remove the others, or run it with resync_mode rebuild/,
  );
  expect(await rows()).toEqual(before);
  // It is asked for the keys that come, and no others.
  expect(await merge(['2\tnew', '3\tnew'])).toMatchObject({ inserted: 1, updated: 1 });
});

test('a merge writes what differs, marks or removes what is missing, and keeps what the source does not have', async () => {
  const target = await file();
  const types = { id: 'integer', v: 'text', d: 'double precision', i: 'interval' };
  const first = ['1\ta\t0\t1 mon', '2\tb\t1\t\\N', '3\tc\t\\N\t\\N', '4\td\t2\t\\N'];
  const emptied = ['1\ta\t\\N\t\\N', ...first.slice(1)];
  expect(await load(target, types, first, { plan: { mode: 'merge' }, output: own })).toMatchObject({
    inserted: 4,
  });
  expect(await load(target, types, emptied, { plan: { mode: 'merge' }, output: own })).toMatchObject({
    updated: 1,
  });
  await target.query(`alter table t add column extra integer default 7`);
  const later = ['1\ta\t-0\t30 days', '2\tb\t1\t\\N', '3\tc\tNaN\t\\N', '5\te\t5\t\\N'];
  const merged = await load(target, types, later, { plan: { mode: 'merge', missing: 'mark' }, output: own });
  expect(merged).toMatchObject({ inserted: 1, updated: 2, deleted: 1, changes: [] });
  const rows = await target.query(
    `select id, v, d::varchar as d, i::varchar as i, extra, _deleted is not null as gone, _synced > now() - interval 1 hour as synced from t order by id`,
  );
  expect(rows).toEqual([
    { id: 1, v: 'a', d: '-0.0', i: '30 days', extra: 7, gone: false, synced: true },
    { id: 2, v: 'b', d: '1.0', i: null, extra: 7, gone: false, synced: true },
    { id: 3, v: 'c', d: 'nan', i: null, extra: 7, gone: false, synced: true },
    { id: 4, v: 'd', d: '2.0', i: null, extra: 7, gone: true, synced: true },
    { id: 5, v: 'e', d: '5.0', i: null, extra: 7, gone: false, synced: true },
  ]);
  const removed = await load(target, types, ['4\td\t2\t\\N'], {
    plan: { mode: 'merge', missing: 'remove' },
    output: own,
  });
  expect(removed).toMatchObject({ inserted: 0, updated: 1, deleted: 4 });
  expect(await target.query('select id, _deleted from t')).toEqual([{ id: 4, _deleted: null }]);
});

test('columns come, widen and go; what no type holds names the way out', async () => {
  const target = await file();
  await load(target, { id: 'integer', n: 'integer', gone: 'text' }, ['1\t5\tx']);
  const wider = { id: 'integer', n: 'bigint', more: 'numeric(10,2)' };
  const merge = { plan: { mode: 'merge' as const } };
  expect(await load(target, wider, ['2\t9007199254740993\t1.50'], merge)).toMatchObject({
    changes: [
      'column more added as DECIMAL(10,2)',
      'column n widened from INTEGER to BIGINT',
      'column gone is not in the source any more: it stays, empty in new rows',
    ],
  });
  expect(
    await target.query('select id, n::varchar as n, gone, more::varchar as more from t order by id'),
  ).toEqual([
    { id: 1, n: '5', gone: 'x', more: null },
    { id: 2, n: '9007199254740993', gone: null, more: '1.50' },
  ]);
  await expect(load(target, { id: 'integer', n: 'date' }, [], merge)).rejects.toThrow(
    'column n is BIGINT in main.t and DATE in the source, and neither type holds every value of the other: run it with resync_mode rebuild',
  );
  await target.query(
    'create table child (id integer primary key); create table refers (id integer references child)',
  );
  const child = { output: { name: 'child' }, plan: { strangers: 'overwrite' as const } };
  await expect(load(target, { id: 'integer' }, [], child)).rejects.toThrow(
    'main.child cannot be replaced because main.refers depends on it: drop it, or set advanced.truncate_existing',
  );
  await expect(load(target, { id: 'integer', ID: 'integer' }, [])).rejects.toThrow(
    'id and ID are one name to DuckDB',
  );
  await expect(load(target, { id: 'integer' }, ['1', '1'])).rejects.toThrow(
    'The key (id) of main.t has a value twice',
  );
  await expect(load(target, { id: 'integer' }, ['\\N'])).rejects.toThrow('is NULL in some row');
  expect(await target.query('select count(*)::integer as n from t')).toEqual([{ n: 2 }]);
});

test('a position belongs to the table it was committed with, and truncating keeps the table', async () => {
  const target = await file();
  const place = { schema: 'main', name: 't' };
  expect(await target.to.standing(place)).toBeUndefined();
  await load(target, { id: 'integer' }, ['1'], { position: { at: 1 } });
  const [made] = await target.query(`select comment from duckdb_tables() where table_name = 't'`);
  await target.query(`comment on table t is 'mine ${made?.comment}'`);
  await target.query('create view v as select id from t');
  await load(target, { id: 'integer' }, ['2'], { plan: { truncate: true }, position: { at: 2 } });
  expect(await target.to.standing(place)).toEqual({ position: { at: 2 } });
  expect(await target.query('select id from v')).toEqual([{ id: 2 }]);
  await load(target, { id: 'integer' }, ['3'], { position: { at: 3 } });
  expect(await target.to.standing(place)).toEqual({ position: { at: 3 } });
  const [kept] = await target.query(`select comment from duckdb_tables() where table_name = 't'`);
  expect(kept?.comment).toBe(`mine ${made?.comment}`);
  await target.query('create or replace table t (id integer)');
  expect(await target.to.standing(place)).toMatchObject({ stranger: "it is a table of somebody else's" });
  await expect(load(target, { id: 'integer' }, ['4'])).rejects.toMatchObject({ key: 'not_ours' });
});

test('ranges stay for the run that takes over, and the run before it commits no more', async () => {
  const target = await file();
  const output = {
    origin: undefined,
    schema: 'main',
    name: 't',
    columns: columnsOf({ id: 'integer' }),
    primaryKey: ['id'],
  };
  const [a, b] = ['a', 'b'].map((id) => ({ id, bounds: {} }));
  const plan = planOf({ ranged: true });
  const first = await target.to.load(output, plan);
  await first.write(rowsOf('1', '2'), 'copy-text', a);
  const broken = first.write(
    Object.assign(
      Readable.from(
        (async function* () {
          yield Buffer.from('7\n');
          throw new Error('the source is gone');
        })(),
      ),
      { rows: 0, bytes: 0, sent: undefined },
    ),
    'copy-text',
    b,
  );
  await expect(broken).rejects.toThrow('the source is gone');
  await first.abort();
  const second = await target.to.load(output, plan);
  expect([...second.stored]).toEqual([['a', 2]]);
  await second.write(rowsOf('3'), 'copy-text', b);
  await expect(target.to.load(output, planOf({ executionId: crypto.randomUUID() }))).rejects.toThrow(
    'Another execution is loading main.t at this moment',
  );
  expect(await second.commit({})).toMatchObject({ inserted: 3 });
  await expect(first.commit({})).rejects.toThrow();
  expect(await target.query('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
});

test('a file can be the source and the destination, and a source that is written to waits', async () => {
  const target = await file();
  await target.query('create table t as select range as id from range(300000)');
  const table = await target.from.table('main.t', undefined);
  await expect(target.to.load({ ...outputOf(table, 'main'), primaryKey: [] }, planOf())).rejects.toThrow(
    'main.t in the destination is the source table itself',
  );
  const loading = await target.to.load(outputOf(table), planOf());
  const rows = await target.from.read(table, 'copy-text', {});
  expect(await loading.write(rows, 'copy-text')).toMatchObject({ rows: 300_000 });
  const held = await target.from.read(table, 'copy-text', {});
  const committed = loading.commit({});
  const left = await held.toArray();
  expect(Buffer.concat(left).length).toBe(rows.bytes);
  expect(await committed).toMatchObject({ inserted: 300_000 });
  expect(await target.query('select sum(id)::varchar as s from copy.t')).toEqual([{ s: '44999850000' }]);
});

test('reads what is at or above a bound less the overlap, filtered, and obfuscated as PostgreSQL does', async () => {
  const target = await file();
  await target.query(`create table t (id bigint, "at" timestamptz, f double, s varchar, d decimal(20,4));
    insert into t values (1, '2024-01-01 00:00:00+00', 1.5, 'ä', 1.5), (2, '2024-01-01 00:00:10.000001+00', 1e15, 'b', 2), (3, null, null, null, null),
      (4, 'infinity', 'nan', 'd', 3), (5, '9999-01-01 00:00:00+00', 'inf', 'x', 4)`);
  const table = await target.from.table('main.t', undefined);
  const bound = (field: string) => target.from.trackingBound?.(table, field);
  expect([await bound('at'), await bound('f'), await bound('id'), await bound('s')]).toEqual([
    '2024-01-01 00:00:10.000001+00',
    '1e+15',
    '5',
    'ä',
  ]);
  await expect(target.from.trackingBound?.(table, 'no')).rejects.toMatchObject({ key: 'invalid_field' });
  const lines = async (read: Parameters<typeof target.from.read>[2], columns = table.columns) =>
    Buffer.concat(await (await target.from.read({ ...table, columns }, 'copy-text', read)).toArray())
      .toString()
      .split('\n')
      .slice(0, -1)
      .sort();
  const ids = (read: Parameters<typeof target.from.read>[2]) => lines(read, table.columns.slice(0, 1));
  const from = '2024-01-01 00:00:10.000001+00';
  expect(await ids({ tracking: { field: 'at', from, overlapSeconds: 0 } })).toEqual(['2', '3', '4', '5']);
  expect(await ids({ tracking: { field: 'at', from, overlapSeconds: 11 } })).toEqual([
    '1',
    '2',
    '3',
    '4',
    '5',
  ]);
  expect(await ids({ filter: { field: 'd', function: 'GreaterThan', value: '1.5' } })).toEqual([
    '2',
    '4',
    '5',
  ]);
  await expect(ids({ filter: { field: 'd', function: 'GreaterThan', value: 'x' } })).rejects.toMatchObject({
    key: 'invalid_field',
  });
  const hidden = table.columns.slice(2).map((column) => ({ ...column, type: 'text', obfuscated: true }));
  const digest = (text: string) => createHash('sha256').update(`salt ö'${text}`).digest('hex');
  const texts = [
    ['1.5', 'ä', '1.5000'],
    ['1e+15', 'b', '2.0000'],
    ['NaN', 'd', '3.0000'],
    ['Infinity', 'x', '4.0000'],
  ];
  expect(await lines({ salt: "salt ö'" }, hidden)).toEqual(
    [...texts.map((row) => row.map(digest).join('\t')), '\\N\t\\N\t\\N'].sort(),
  );
});

test.each([
  ['varchar', "'k' || i % 991 || chr(9) || i"],
  ['timestamptz', "timestamptz '2024-01-01' + to_microseconds(i)"],
])(
  'a big table is read in parts of its %s key: every row that stays is in exactly one',
  async (type, key) => {
    const { folder, query, from: whole } = await file();
    await query(
      `create table t (id ${type} primary key, n int); insert into t select ${key}, i from range(20000) r(i)`,
    );
    const from = duckdbSource(database(folder, 'x.duckdb', new AbortController().signal), 100);
    const table = await from.table('main.t', undefined);
    // A part is not worth a process of its own here.
    expect(await whole.ranges?.(table, 5000)).toEqual([]);
    const ranges = (await from.ranges?.(table, 5000)) ?? [];
    expect(ranges).toHaveLength(4);
    const parts: number[][] = [];
    for (const range of ranges) {
      const rows = await Array.fromAsync(decodeCopyText(await from.read(table, 'copy-text', { range })));
      parts.push(rows.flat().map(([, n]) => Number(n)));
      // Rows that were read go, and those behind them move up in the file.
      if (parts.length === 1) await query('delete from t where n % 10 = 0; checkpoint');
    }
    for (const part of parts) expect(part.length).toBeLessThan(8000);
    const stayed = parts.flat().filter((n) => n % 10 !== 0);
    expect([stayed.length, new Set(stayed).size]).toEqual([18_000, 18_000]);
  },
);
