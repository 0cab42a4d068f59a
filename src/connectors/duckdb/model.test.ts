import { mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { queryDuckDB } from '../../../test/support/duckdb.ts';
import { BatchRefused, type ConnectorContext, type Session } from '../contract.ts';
import { literal } from '../duckdb-engine/index.ts';
import { duckdb } from './index.ts';

async function folderWith(sql: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'duckdb-model-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const query = (text: string) => queryDuckDB(path.join(folder, 'x.duckdb'), text);
  await query(sql);
  return { folder, query };
}

const open = (
  folder: string | undefined,
  database = 'x.duckdb',
  more: Partial<ConnectorContext> = {},
): Session => {
  const context = { ...more, ...(folder === undefined ? {} : { folder }) };
  const session = duckdb.open({ database }, context as ConnectorContext);
  onTestFinished(() => session.close());
  return session;
};

test('values become what their columns are, and what a column cannot hold is refused', async () => {
  const { folder, query } = await folderWith(
    `create type mood as enum ('fine', 'so, so');
     create table t (k varchar, i utinyint, h hugeint, n decimal(30,4), d double, m mood, l integer[], s struct(a integer, b varchar[]),
       ts timestamp_ns, iv interval, b blob, j json)`,
  );
  const names = ['i', 'h', 'n', 'd', 'm', 'l', 's', 'ts', 'iv', 'b', 'j'];
  const field = (name: string) => ({ name, type: 'string' as const, remoteType: 'text', nullable: true });
  const writer = await open(folder).modelDestination?.writer({
    sync: { id: crypto.randomUUID(), name: 'types' },
    object: 'main.t',
    configuration: {},
    mode: 'updateOrCreate',
    identity: 'k',
    fields: names.map((name) => ({ source: field(name), target: name, createOnly: false })),
  });
  const write = (values: (string | null)[]) =>
    writer?.write([{ key: 'a', hash: '1', values }], async () => {});
  const values = [
    '255',
    '170141183460469231731687303715884105727',
    '12345678901234567890.1234',
    '0',
    'so, so',
    '{1,NULL}',
  ];
  const more = [
    '{"a":1,"b":["x",null]}',
    '2024-01-01 00:00:00.000001',
    '1 mon',
    String.raw`\x00ff`,
    '{"a" : 1}',
  ];
  expect(await write([...values, ...more])).toEqual([{ status: 'inserted' }]);
  expect(await write([...values.with(3, '-0'), ...more.with(2, '30 days')])).toEqual([{ status: 'updated' }]);
  const shown = names.map((name) => `${name}::varchar as "${name}"`).join(', ');
  expect(await query(`select ${shown} from t`)).toEqual([
    {
      i: '255',
      h: '170141183460469231731687303715884105727',
      n: '12345678901234567890.1234',
      d: '-0.0',
      m: 'so, so',
      l: '[1, NULL]',
      s: `{'a': 1, 'b': [x, NULL]}`,
      ts: '2024-01-01 00:00:00.000001',
      iv: '30 days',
      b: '\\x00\\xFF',
      j: '{"a" : 1}',
    },
  ]);
  for (const [index, value] of [
    [0, '1.5'],
    [0, '256'],
    [5, '{x}'],
    [7, 'yesterday'],
  ] as const) {
    await expect(write([...values, ...more].with(index, value))).rejects.toThrow(BatchRefused);
  }
  expect(await write([...values, ...more].with(4, 'bad'))).toMatchObject([
    { status: 'refused', reason: expect.stringMatching(/^m: /) },
  ]);
});

test('a query reads; it cannot write, leave the file, or be two', async () => {
  const { folder } = await folderWith('create table t as select 1 as id');
  const { modelSource } = open(folder);
  const fields = (query: string) => modelSource?.fields({ query });
  expect(await fields('select * from t;')).toMatchObject([
    { name: 'id', type: 'number', remoteType: 'INTEGER' },
  ]);
  for (const query of [
    'insert into t values (2) returning id',
    'select 1) as a; drop table t; select * from (select 2',
    `select * from read_text('/etc/hostname')`,
    `select * from read_csv('${path.join(folder, 'x.duckdb')}')`,
    'select * from no_such_table',
    'select',
  ]) {
    await expect(fields(query), query).rejects.toMatchObject({ key: 'invalid_query' });
  }
  const hurried = open(folder, 'x.duckdb', { lookTimeout: 2000 });
  const endless = { query: 'select count(*) as a from range(1000000000000) x, range(1000000) y' };
  await expect(hurried.modelSource?.sample(endless, ['a'], 1)).rejects.toThrow(
    'it takes longer than 2 seconds',
  );
});

test('records may be written to the database that they come from while they are read', async () => {
  const { folder, query } = await folderWith(
    `create table t as select range as id, 'x' as name from range(25000); create table copy (id bigint, name varchar)`,
  );
  const { modelSource, modelDestination } = open(folder);
  const field = { name: 'name', type: 'string' as const, remoteType: 'VARCHAR', nullable: true };
  const writer = await modelDestination?.writer({
    sync: { id: crypto.randomUUID(), name: 'self' },
    object: 'main.copy',
    configuration: {},
    mode: 'append',
    identity: 'id',
    fields: [{ source: field, target: 'name', createOnly: false }],
  });
  const read =
    modelSource?.records({ configuration: { table: 'main.t' }, fields: ['name'], identity: 'id' }) ?? [];
  for await (const records of read) {
    await writer?.write(
      records.map((record) => ({ ...record, key: record.key ?? '' })),
      async () => {},
    );
  }
  expect(await query('select count(*)::integer as n, sum(id)::integer as s from copy')).toEqual([
    { n: 25_000, s: 312_487_500 },
  ]);
});

test('a replacement that cannot be set up keeps no engine', async () => {
  const { folder } = await folderWith(
    `create type mood as enum ('fine'); create table places (id integer, name mood check (name = 'fine'::mood))`,
  );
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const source = { name: 'name', type: 'string', remoteType: 'text', nullable: true } as const;
  const opening = open(folder).modelDestination?.replacement?.({
    sync: { id: crypto.randomUUID(), name: 'places' },
    object: 'main.places',
    configuration: {},
    mode: 'replace',
    identity: 'id',
    fields: [{ source, target: 'name', createOnly: false }],
  });
  await expect(opening).rejects.toThrow('mood');
  expect((await readdir(folder)).filter((name) => name.startsWith('tidemark-duckdb-'))).toEqual([]);
});

test.each([
  ['integer[]', ['{1,2}', '{3}', '{4,NULL}'], '{ 1, 2 }', '[3]', '[9]'],
  ['interval', ['1 day', '1 mon', '3 days'], '24:00:00', '1 month', '9 days'],
  ['struct(a integer)', ['{"a":1}', '{"a":2}', '{"a":3}'], '{"a": 1}', "{'a': 2}", "{'a': 9}"],
])(
  'a replacement is identified by a column of type %s, which has no index',
  async (type, keys, again, there, gone) => {
    const { folder, query } = await folderWith(`create table places (k ${type}, name varchar);
    insert into places values (${literal(there)}, 'old'), (${literal(gone)}, 'gone')`);
    const source = { name: 'name', type: 'string', remoteType: 'text', nullable: true } as const;
    const replacement = await open(folder).modelDestination?.replacement?.({
      sync: { id: crypto.randomUUID(), name: 'places' },
      object: 'main.places',
      configuration: {},
      mode: 'replace',
      identity: 'k',
      fields: [{ source, target: 'name', createOnly: false }],
    });
    const add = (...added: string[]) =>
      replacement?.add(added.map((key) => ({ key, hash: '1', values: [`the ${key}`] })));
    const [first = '', ...rest] = keys;
    await expect(add(first, again)).rejects.toThrow(/^k: another record has the identity/);
    await add(first);
    await expect(add(again)).rejects.toThrow(BatchRefused);
    await add(...rest);
    const statuses: string[] = [];
    await replacement?.replace(
      (async function* () {})(),
      async (rows) => void statuses.push(...rows.map(({ status }) => status)),
      async () => {},
    );
    expect(statuses).toEqual(['deleted', 'updated', 'inserted', 'inserted']);
    expect(await query('select name from places order by name')).toEqual(
      keys.map((key) => ({ name: `the ${key}` })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  },
);

test('a column that DuckDB computes is not writable', async () => {
  const { folder } = await folderWith(
    `create table t (id integer, n integer default 3, x integer default null, "a ""b" integer generated always as (id * 2))`,
  );
  const fields = await open(folder).modelDestination?.fields('main.t');
  expect(fields?.map(({ id, createable, updateable }) => [id, createable, updateable])).toEqual([
    ['id', true, true],
    ['n', true, true],
    ['x', true, true],
    ['a "b', false, false],
  ]);
});

test('a database is a plain file in the folder, where files are enabled', async () => {
  const { folder } = await folderWith('create table t as select 1 as id');
  const elsewhere = await folderWith('create table secret as select 1 as id');
  await symlink(path.join(elsewhere.folder, 'x.duckdb'), path.join(folder, 'link.duckdb'));
  await expect(open(folder, 'link.duckdb').test()).rejects.toThrow(
    'database: link.duckdb is not a plain file',
  );
  await expect(open(undefined).test()).rejects.toThrow('set TIDEMARK_DUCKDB_DIR to a folder');
  const missing = open(folder, 'new.duckdb');
  await missing.test();
  expect(await missing.catalogue?.schemas()).toEqual([]);
});
