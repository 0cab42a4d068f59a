import { expect, onTestFinished, test } from 'vitest';
import { connectTo, pair, planOf, replicate } from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { loopback } from '../../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { bulkSource } from './bulk-source.ts';
import { postgresql } from './index.ts';

let counter = 0;

/** A role of the test's own, as which the database is used. */
async function roleOf(database: TestDatabase): Promise<{ name: string; as: TestDatabase }> {
  const name = `reader_${process.pid}_${Date.now()}_${counter++}`;
  await database.query(`create role ${name} login password 'secret'`);
  onTestFinished(async () => {
    await database.query(`drop owned by ${name}; drop role ${name}`);
  });
  const url = Object.assign(new URL(database.url), { username: name, password: 'secret' }).href;
  return { name, as: { ...database, url } };
}

function open(database: TestDatabase, configuration: object = {}) {
  const settings = { ...postgresqlConfiguration(database.url), client_certs: false, ...configuration };
  return postgresql.open(settings, { egress: loopback });
}

test('rows that row-level security hides are an error that says what to do, unless they are to be left out', async () => {
  const source = await testDatabase();
  const { name, as } = await roleOf(source);
  await source.query(`create table t (id int primary key, mine boolean); insert into t values (1, true), (2, false);
    alter table t enable row level security; create policy own on t using (mine);
    create view through with (security_invoker) as select * from t;
    grant select on t, through to ${name}`);
  for (const schemaId of ['public.t', 'public.through']) {
    const from = bulkSource(connectTo(as));
    const read = async () => from.read(await from.table(schemaId, undefined), 'copy-text', {});
    await expect(read().then((rows) => Array.fromAsync(rows))).rejects.toMatchObject({ key: 'rows_hidden' });
    const session = open(as);
    await expect(session.catalogue?.records(schemaId, 5)).rejects.toThrow('row_level_security');
    for (const [key, value] of [
      ['table', schemaId],
      ['query', `select * from ${schemaId}`],
    ] as const) {
      await expect(session.modelSource?.fields({ [key]: value })).rejects.toMatchObject({
        key: 'rows_hidden',
      });
    }
    const asked = open(as, { row_level_security: true });
    expect(await asked.modelSource?.sample({ table: schemaId }, ['id'], 5)).toEqual([['1']]);
    const table = await asked.bulkSource?.table(schemaId, undefined);
    const rows = table && (await asked.bulkSource?.read(table, 'copy-text', {}));
    expect(Buffer.concat(await Array.fromAsync(rows ?? [])).toString()).toBe('1\tt\n');
    await Promise.all([session.close(), asked.close()]);
  }
  await source.query(`alter role ${name} bypassrls`);
  expect(await open(as).modelSource?.sample({ table: 'public.t' }, ['id'], 5)).toHaveLength(2);
});

test('of a table of which single columns were granted those are read', async () => {
  const source = await testDatabase();
  const { name, as } = await roleOf(source);
  await source.query(`create table t (id int, secret text, name text, gone int, primary key (id, secret));
    alter table t drop column gone; insert into t values (1, 's', 'Ada');
    create table keyed (id int primary key, secret text, name text); insert into keyed values (1, 's', 'Ada');
    create table hidden (id int); create view v as select * from keyed;
    grant select (id, name) on t, keyed, v to ${name}`);
  const session = open(as);
  const schemas = (await session.catalogue?.schemas())?.map(({ id, fields }) => [
    id,
    fields.map((one) => one.name),
  ]);
  expect(schemas).toEqual([
    ['public.keyed', ['id', 'name']],
    ['public.t', ['id', 'name']],
    ['public.v', ['id', 'name']],
  ]);
  expect(await session.catalogue?.records('public.t', 1)).toEqual(['{"id":1,"name":"Ada"}']);
  expect((await session.modelSource?.fields({ table: 'public.v' }))?.map((one) => one.name)).toEqual([
    'id',
    'name',
  ]);
  expect(await session.modelSource?.sample({ table: 'public.t' }, ['name'], 1)).toEqual([['Ada']]);
  const from = bulkSource(connectTo(as));
  expect(await from.table('public.t', undefined)).toMatchObject({
    primaryKey: [],
    columns: [{ name: 'id' }, { name: 'name' }],
  });
  expect(await from.table('public.keyed', undefined)).toMatchObject({ primaryKey: ['id'] });
  const to = (await pair()).to;
  await replicate({ from, to }, 'public.keyed', {
    read: { filter: { field: 'id', function: 'Equality', value: '1' } },
  });
  await session.close();
});

test('no two tables share an id, whatever dots and quotation marks their names have', async () => {
  const both = await pair(`create schema "a.b"; create schema a; create schema "a""";
    create table "a.b".c as select 1 as which; create table a."b.c" as select 2 as which;
    create table "a""".c as select 3 as which; create table a."b.c.d" as select 4 as which; create table public.plain as select 5 as which`);
  const session = open(both.source);
  const schemas = (await session.catalogue?.schemas()) ?? [];
  const ids = schemas.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(['"a.b".c', 'a".c', 'a.b.c', 'a.b.c.d', 'public.plain']);
  const read: Record<string, unknown> = {};
  for (const [index, id] of ids.entries()) {
    await replicate(both, id, { output: { name: `t${index}` } });
    const [row] = await both.destination.query<{ which: number }>(`select which from copy.t${index}`);
    read[id] = row?.which;
    expect(await session.modelSource?.sample({ table: id }, ['which'], 1)).toEqual([[String(row?.which)]]);
    expect(await session.catalogue?.records(id, 1)).toEqual([`{"which":${row?.which}}`]);
    expect((await session.modelDestination?.fields(id))?.map(({ id: name }) => name)).toEqual(['which']);
  }
  expect(read).toEqual({ '"a.b".c': 1, 'a.b.c': 2, 'a".c': 3, 'a.b.c.d': 4, 'public.plain': 5 });
  await session.close();
});

test('a table whose rows an extension keeps in tables of its own is read with them', async () => {
  const both = await pair(`create schema chunks; alter extension plpgsql add schema chunks;
    create table hyper (id int primary key, name text); create table chunks.one () inherits (hyper);
    create table moved (id int primary key, name text); create table public._hyper_1_2_chunk () inherits (moved);
    insert into chunks.one values (1, 'a'), (2, 'b'); insert into _hyper_1_2_chunk values (3, 'c')`);
  onTestFinished(async () => {
    await both.source.query('alter extension plpgsql drop schema chunks');
  });
  expect(await replicate(both, 'public.hyper')).toMatchObject({ rows: 2 });
  expect(await replicate(both, 'public.moved')).toMatchObject({ rows: 1 });
  const session = open(both.source);
  expect(await session.catalogue?.records('public.hyper', 9)).toHaveLength(2);
  await session.close();
});

test('a view whose functions name tables without a schema can be followed', async () => {
  const both = await pair(`create table t (id int); insert into t values (1), (2);
    create function greatest_id() returns int language plpgsql as 'begin return (select max(id) from t); end';
    create view v as select id, greatest_id() as most from t`);
  const view = await both.from.table('public.v', undefined);
  expect(await both.from.trackingBound?.(view, 'most')).toBe('2');
  expect(await both.from.reaches?.(view, 'most', '2')).toBe(true);
  expect(await both.from.reaches?.(view, 'most', '3')).toBe(false);
});

test('rows of tables that inherit are read once, those of partitions with the table', async () => {
  const both =
    await pair(`create table parent (id int primary key, name text); create table child (extra int) inherits (parent);
    insert into parent values (1, 'p'); insert into child values (2, 'c', 9); analyze parent;
    create table parted (id int primary key, name text) partition by range (id);
    create table low partition of parted for values from (0) to (10); create table high partition of parted default;
    insert into parted values (1, 'l'), (20, 'h')`);
  for (const [table, rows] of [
    ['parent', 1],
    ['child', 1],
    ['parted', 2],
  ] as const) {
    const read = { filter: { field: 'id', function: 'IsNotNull', value: null } } as const;
    expect(await replicate(both, `public.${table}`, { read })).toMatchObject({ rows });
  }
  expect(await contentHash(both.destination, 'copy.parted')).toEqual(
    await contentHash(both.source, 'parted'),
  );
  expect(await both.from.trackingBound?.(await both.from.table('public.parent', undefined), 'id')).toBe('1');
  const session = open(both.source);
  expect((await session.catalogue?.schemas())?.map(({ id }) => id)).toEqual([
    'public.child',
    'public.parent',
    'public.parted',
  ]);
  expect(await session.catalogue?.records('public.parent', 9)).toHaveLength(1);
  // A model reads what `select * from` its table gives.
  expect(await session.modelSource?.sample({ table: 'public.parent' }, ['id'], 9)).toEqual([['1'], ['2']]);
  await session.close();
});

test('a type that another server makes up is not run', async () => {
  const { to } = await pair();
  const column = { name: 'a', outputName: 'a', nullable: true };
  for (const type of [
    'text); drop schema public cascade; --',
    'integer references t',
    'text default now()',
    'text, b text',
    'public.text',
  ]) {
    const output = {
      origin: undefined,
      schema: 'copy',
      name: 't',
      columns: [{ ...column, type }],
      primaryKey: [],
    };
    await expect(to.load(output, planOf())).rejects.toThrow('has a type that is none');
  }
});
