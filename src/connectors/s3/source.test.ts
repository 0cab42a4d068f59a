import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startS3, type TestS3 } from '../../../test/support/s3.ts';
import { createEgress, type Egress } from '../../egress/index.ts';
import { decodeCopyText } from '../../lib/copy-text.ts';
import type { JsonObject } from '../../lib/json.ts';
import { tempFolder } from '../../lib/temp-folder.ts';
import type { BulkRead, Session } from '../contract.ts';
import { literal, openEngine } from '../duckdb-engine/index.ts';
import { EnginePool } from '../file-formats/engine-pool.ts';
import { type Configuration, placeOf } from './configuration.ts';
import { s3 } from './index.ts';
import { ObjectReader } from './object-reader.ts';
import { s3Source } from './source.ts';
import { objectStore } from './store.ts';

let server: TestS3;
let egress: Egress;
const sessions: Session[] = [];

beforeAll(async () => {
  server = await startS3();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
});
afterAll(async () => {
  for (const session of sessions) await session.close();
  await egress.close();
  await server.close();
});
beforeEach(async () => {
  server.behave(() => undefined);
  server.requests.length = 0;
  for (const key of await server.keys()) await server.remove(key);
});

function open(settings: JsonObject = {}): Session {
  const session = s3.open({ ...server.configuration, ...settings }, { egress });
  sessions.push(session);
  return session;
}
const put = async (files: Record<string, string | Buffer>) => {
  for (const [key, content] of Object.entries(files)) await server.put(key, content);
};
async function schemas(session: Session): Promise<Record<string, string[]>> {
  const list = (await session.catalogue?.schemas()) ?? [];
  return Object.fromEntries(
    list.map(({ id, fields }) => [id, fields.map(({ name, remoteType }) => `${name} ${remoteType}`)]),
  );
}
async function rows(session: Session, id: string, read: BulkRead = {}, columns?: string[]) {
  const { bulkSource: source } = session;
  const table = await source?.table(id, undefined);
  if (source === undefined || table === undefined) throw new Error('no source');
  const chosen = table.columns.filter(({ name }) => columns?.includes(name) ?? !name.startsWith('_tidemark'));
  const stream = await source.read({ ...table, columns: chosen }, 'copy-text', read);
  return (await Array.fromAsync(decodeCopyText(stream))).flat();
}
/** A Parquet file of a SELECT. */
async function parquet(select: string): Promise<Buffer> {
  const engine = await openEngine();
  const path = `${engine.folder}/made.parquet`;
  await engine.run(`copy (${select}) to ${literal(path)} (format parquet)`);
  const bytes = await readFile(path);
  await engine.close();
  return bytes;
}

test('by default each file is a table: CSV, TSV, JSON, Parquet, gzip, by extension', async () => {
  await put({
    'users.csv': 'id,name\n1,a\n',
    'exports/2024.01/users.tsv': 'id\tn\n1\t2\n',
    'exports/events.jsonl.gz': gzipSync('{"id":1,"o":{}}\n'),
    'exports/prices.parquet': await parquet(
      `select 1::integer as id, 1.10::decimal(10,2) as price, [1,2] as list`,
    ),
    'exports/empty.csv': '',
    'exports/_SUCCESS.csv': 'x',
    'exports/.hidden.csv': 'x\n1\n',
    'readme.md': '# no table',
  });
  const session = open();
  expect(await schemas(session)).toEqual({
    users: ['id bigint', 'name text'],
    'exports/2024_01.users': ['id bigint', 'n bigint'],
    'exports.events': ['id bigint', 'o json'],
    'exports.prices': ['id integer', 'price numeric(10,2)', 'list integer[]'],
  });
  expect(await rows(session, 'exports.prices')).toEqual([['1', '1.10', '{1,2}']]);
  expect(await rows(session, 'exports.events')).toEqual([['1', '{}']]);
  expect(await session.catalogue?.records('exports.prices', 5)).toEqual([
    '{"id":1,"price":1.10,"list":[1,2]}',
  ]);
  await expect(session.bulkSource?.table('nope', undefined)).rejects.toMatchObject({ key: 'not_found' });
});

test('only what lies in the connection’s folder is seen', async () => {
  await put({ 'a/b/users.csv': 'id\n1\n', 'a/bc/other.csv': 'id\n1\n', 'users.csv': 'id\n1\n' });
  expect(Object.keys(await schemas(open({ s3_bucket_name: `s3://${server.bucket}/a/b/` })))).toEqual([
    'users',
  ]);
});

test('the files of a single table: union by name, types widened, in the order of their keys', async () => {
  await put({
    'b.csv': 'id,code\n2,7\n',
    'a.csv': 'id,code,when\n1,007,2024-01-01\n',
    'c.json': '[{"id": 3.5, "new": {"a": 1.10}}]',
    'd.json': '{"id": 4, "new": "text"}',
    'e.parquet': await parquet(`select 5::integer as id, true as flag`),
    'f.csv.gz': gzipSync('id,code\n,\n'),
    'ignored.txt': 'id\n9\n',
  });
  const settings = {
    is_single_table: true,
    single_table_name: 'all',
    single_table_file_formats: ['csv', 'json', 'parquet'],
  };
  await server.remove('ignored.txt');
  const session = open(settings);
  const table = await session.bulkSource?.table('all', undefined);
  expect(table?.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
    'id numeric',
    'code text',
    'when date',
    'new json',
    'flag boolean',
    '_tidemark_modified_at timestamp with time zone',
  ]);
  expect(table?.estimatedRows).toBe(6);
  expect(await rows(session, 'all')).toEqual([
    ['1', '007', '2024-01-01', null, null],
    ['2', '7', null, null, null],
    ['3.5', null, null, '{"a": 1.10}', null],
    ['4', null, null, '"text"', null],
    ['5', null, null, null, 't'],
    [null, null, null, null, null],
  ]);
  expect(
    Object.keys(await schemas(open({ is_single_table: true, single_table_file_format: 'json' }))),
  ).toEqual(['files']);
});

test('folders that a pattern matches are tables, with all below them', async () => {
  await put({
    'exports/users/2024/1.csv': 'id\n1\n',
    'exports/users/2.csv': 'id\n2\n',
    'exports/orders/day=2024-01-01/part.csv': 'id\n3\n',
    'exports/orders/day=__HIVE_DEFAULT_PARTITION__/part.csv': 'id\n4\n',
    'exports/orders/day=a%2Fb/part.csv': 'id\n5\n',
    'loose.csv': 'id\n9\n',
  });
  const session = open({
    is_single_table: true,
    is_directory_snapshot: true,
    directory_glob_pattern: 'exports/*',
  });
  const modified = '_tidemark_modified_at timestamp with time zone';
  expect(await schemas(session)).toEqual({
    'exports.orders': ['id bigint', 'day text', modified],
    'exports.users': ['id bigint', modified],
  });
  expect(await rows(session, 'exports.orders')).toEqual([
    ['3', '2024-01-01'],
    ['4', null],
    ['5', 'a/b'],
  ]);
  expect(await rows(session, 'exports.users')).toEqual([['2'], ['1']]);
});

test('a folder pattern of many wildcards is no trap', async () => {
  const name = 'a'.repeat(200);
  await put({ [`x/${name}/1.csv`]: 'id\n1\n', [`x/y/${name}b/2.csv`]: 'id\n2\n' });
  const session = open({
    is_single_table: true,
    is_directory_snapshot: true,
    directory_glob_pattern: `**/${'*a'.repeat(30)}?`,
  });
  expect(Object.keys(await schemas(session))).toEqual([`x.${name}`, `x/y.${name}b`]);
  const none = open({
    is_single_table: true,
    is_directory_snapshot: true,
    directory_glob_pattern: `**/${'*a'.repeat(30)}c`,
  });
  expect(await schemas(none)).toEqual({});
});

test('lines are skipped and headers left out as configured', async () => {
  await put({ 'a.csv': 'made by x\nid,name\n1,b\n' });
  expect(await schemas(open({ skip_lines: 1 }))).toEqual({ a: ['id bigint', 'name text'] });
  expect(await schemas(open({ skip_lines: 2, csv_has_headers: false }))).toEqual({
    a: ['column_1 bigint', 'column_2 text'],
  });
});

test('ranges are files as they were; one that changed since is refused', async () => {
  await put(Object.fromEntries([1, 2, 3, 4].map((n) => [`${n}.csv`, `id\n${n}0\n${n}1\n`])));
  const settings = { is_single_table: true, single_table_name: 't' };
  const session = open(settings);
  const table = await session.bulkSource?.table('t', undefined);
  if (table === undefined) throw new Error('no table');
  const ranges = (await session.bulkSource?.ranges?.(table, 3)) ?? [];
  expect(ranges.length).toBe(2);
  expect(await session.bulkSource?.ranges?.(table, 100)).toEqual([]);
  const cutOtherwise = (await session.bulkSource?.ranges?.(table, 1)) ?? [];
  expect(cutOtherwise.length).toBe(4);
  expect(cutOtherwise.filter(({ id }) => ranges.some((other) => other.id === id))).toEqual([]);
  const later = open(settings);
  const read = async (range: (typeof ranges)[number] | undefined) =>
    rows(later, 't', range === undefined ? {} : { range });
  expect((await read(ranges[0])).flat()).toEqual(['10', '11', '20', '21']);
  expect((await read(ranges[1])).flat()).toEqual(['30', '31', '40', '41']);
  await put({ '3.csv': 'id\n0\n' });
  expect((await read(ranges[0])).flat()).toEqual(['10', '11', '20', '21']);
  await expect(read(ranges[1])).rejects.toThrow(
    '3.csv has been changed or removed since this execution began',
  );
});

test('by the time a file was written only new files are fetched', async () => {
  await put({ '1.csv': 'id\n1\n' });
  const session = open({ is_single_table: true, single_table_name: 't' });
  const table = await session.bulkSource?.table('t', undefined);
  if (table === undefined) throw new Error('no table');
  const bound = await session.bulkSource?.trackingBound?.(table, '_tidemark_modified_at');
  expect(bound).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/);
  const [row] = await rows(session, 't', {}, ['_tidemark_modified_at']);
  expect(row).toEqual([bound]);
  const field = '_tidemark_modified_at';
  const since = (from: string, overlapSeconds = 0) =>
    rows(session, 't', { tracking: { field, from, overlapSeconds } });
  expect(await since(bound ?? '')).toEqual([['1']]);
  expect(await since('2999-01-01 00:00:00+00')).toEqual([]);
  expect(await since('2999-01-01 00:00:00+00', 40_000_000_000)).toEqual([['1']]);
  await expect(session.bulkSource?.trackingBound?.(table, 'id')).rejects.toMatchObject({
    key: 'invalid_field',
  });
});

test('models read one object or all of a folder', async () => {
  await put({ 'a/1.csv': 'id,v\n1,x\n', 'a/2.csv': 'id,v\n2,y\n', 'a/x.json': '{"id":3}', raw: 'id\n7\n' });
  const { modelSource: model } = open();
  if (model === undefined) throw new Error('no source');
  const names = async (configuration: JsonObject) =>
    (await model.fields(configuration)).map(({ name }) => name);
  expect(await names({ model_from: 'single_file', key: 'raw', file_format: 'csv' })).toEqual(['id']);
  const folder = { model_from: 'multi_file_archive', subfolder: 'a', file_format: 'csv' };
  expect(await names(folder)).toEqual(['id', 'v', '_tidemark_modified_at']);
  expect(await model.sample(folder, ['id', 'v'], 5)).toEqual([
    ['1', 'x'],
    ['2', 'y'],
  ]);
  expect(await names({ table: 'a.x' })).toEqual(['id']);
  const refused: JsonObject[] = [
    { model_from: 'single_file', key: '../raw' },
    { table: 'no' },
    { ...folder, subfolder: 'b' },
  ];
  for (const wrong of refused) {
    await expect(model.fields(wrong)).rejects.toMatchObject({ status: 400 });
  }
  const meta = await model.meta({});
  expect(meta.items.key?.items).toEqual(['a/1.csv', 'a/2.csv', 'a/x.json']);
});

test('a filter compares values, not texts', async () => {
  await put({ 'n.csv': `id,amount\n1,10\n2,9.5\n3,\n4,-1e-05\n5,${'9'.repeat(50)}.5\n` });
  const session = open();
  const filter = { field: 'amount', function: 'GreaterThan', value: 9 } as const;
  const ids = async (of: BulkRead['filter']) =>
    (await rows(session, 'n', of && { filter: of }, ['id'])).flat();
  expect(await ids(filter)).toEqual(['1', '2', '5']);
  expect(await ids({ not: filter })).toEqual(['3', '4']);
  await expect(ids({ ...filter, field: 'nope' })).rejects.toMatchObject({ key: 'invalid_field' });
});

test('what is broken fails with its name', async () => {
  await put({
    'bad.parquet': 'PAR1 no parquet at all PAR1',
    'bad.csv': 'a,b\n1\n',
    'bad.csv.gz': gzipSync('a\n1\n').subarray(0, 15),
  });
  const { bulkSource: source } = open();
  await expect(source?.table('bad', undefined)).rejects.toThrow(/^bad\.csv/);
  await server.remove('bad.csv');
  await expect(source?.table('bad', undefined)).rejects.toThrow(
    'bad.csv.gz looks like gzip and cannot be unpacked',
  );
  await server.remove('bad.csv.gz');
  await expect(source?.table('bad', undefined)).rejects.toThrow('bad.parquet is no Parquet file');
});

test('a read that breaks off or is left ends at once, and leaves no file', async () => {
  await put({ 'big.csv': `id\n${'1234567890\n'.repeat(300_000)}` });
  const session = open();
  const table = await session.bulkSource?.table('big', undefined);
  if (table === undefined) throw new Error('no table');
  const stream = await session.bulkSource?.read(table, 'copy-text', {});
  for await (const _ of stream ?? []) break;
  expect(stream?.destroyed).toBe(true);
  await session.close();
  const { stdout } = await promisify(execFile)('sh', [
    '-c',
    `ls -d /tmp/tidemark-files-${process.pid}-*/* 2>/dev/null || true`,
  ]);
  expect(stdout).not.toContain('big');
});

test('more objects than fit into memory are refused, unless one table is asked for', async () => {
  await put(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`${name}.csv`, 'id\n1\n'])));
  const settings = server.configuration as unknown as Configuration;
  const store = objectStore(placeOf(settings), { egress });
  await using temp = await tempFolder();
  const engines = new EnginePool(new AbortController().signal, async () => temp.path);
  const reader = new ObjectReader(store, 'test', async () => temp, engines);
  const source = s3Source(store, reader, placeOf(settings), settings, 3);
  await expect(source.schemas()).rejects.toThrow(
    'lake/ has more than 3 objects to choose from: name a folder below it in configuration.s3_bucket_name',
  );
  expect((await source.open('d')).columns).toMatchObject([{ name: 'id' }]);
  await engines.close();
});

test('a file that cannot be read fails alone, by its own name', async () => {
  const broken = Buffer.from(await parquet('select i, repeat(i::varchar, 100) as t from range(5000) r(i)'));
  broken.fill(0, 4, 2000);
  await put({
    'good.csv': 'id,name\n1,x\n',
    'ragged.csv': 'id,name\n1,"5\\" pipe"\n',
    'odd.json': '{"a":1}}',
    'not.parquet': 'this is no Parquet file',
    'broken.parquet': broken,
  });
  const session = open();
  expect(await schemas(session)).toMatchObject({
    good: ['id bigint', 'name text'],
    ragged: [],
    odd: [],
    not: [],
  });
  expect(await rows(session, 'good')).toEqual([['1', 'x']]);
  await expect(rows(session, 'ragged')).rejects.toThrow('ragged.csv, line 2');
  await expect(rows(session, 'not')).rejects.toThrow('not.parquet is no Parquet file');
  const failure = await rows(session, 'broken').catch((error: Error) => error);
  expect(String(failure)).toContain('broken.parquet');
  expect(String(failure)).not.toContain('/tmp');
});
