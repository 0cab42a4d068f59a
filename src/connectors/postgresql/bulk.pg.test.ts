import { expect, test } from 'vitest';
import { awkward } from '../../../test/support/awkward.ts';
import {
  connectTo,
  execution,
  outputOf,
  pair,
  planOf,
  replicate,
  tablesOf,
} from '../../../test/support/bulk-pair.ts';
import { contentHash } from '../../../test/support/content-hash.ts';
import { testDatabase } from '../../../test/support/database.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { readTypes } from './types.ts';

test.each(['pg-binary', 'copy-text'] as const)(
  'every value of every type arrives exactly as %s',
  async (format) => {
    const both = await pair();
    await both.source.query(awkward);
    expect(await replicate(both, 'public.awkward', { format })).toMatchObject({ rows: 3 });
    const [expected, actual] = [
      await contentHash(both.source, 'awkward'),
      await contentHash(both.destination, 'copy.awkward'),
    ];
    expect(actual).toEqual(expected);
    const types = await both.destination.query(
      `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = 'copy.awkward'::regclass and attname = any('{n2,mo,mos,po,sc,pa,pas,rc,double_id,an,c}')`,
    );
    expect(Object.fromEntries(types.map(({ name, type }) => [name, type]))).toEqual({
      n2: 'numeric(20,4)',
      an: 'numeric(10,2)[]',
      c: 'character(6)',
      double_id: 'bigint',
      po: 'integer',
      sc: 'character varying(8)',
      mo: 'text',
      mos: 'text[]',
      pa: 'text',
      pas: 'text[]',
      rc: 'text',
    });
  },
);

test('the types that docs/types.md names travel as it says', async () => {
  const { source, from } = await pair();
  await source.query(
    `create type mood as enum ('a'); create type pair as (a int); create domain short as varchar(4)`,
  );
  const plain = readTypes.filter(({ type, as }) => type === as).map(({ type }) => type);
  const examples = new Map(
    plain.map((type) => [
      type.replace('(n)', '(7)').replace('(p,s)', '(9,2)'),
      undefined as string | undefined,
    ]),
  );
  for (const [type, as] of Object.entries({
    money: 'numeric',
    'money[]': 'numeric[]',
    mood: 'text',
    'pair[]': 'text[]',
  }))
    examples.set(type, as);
  for (const type of plain.slice(0, 5)) examples.set(`${type.replace('(p,s)', '')}[]`, undefined);
  examples.set('short', 'character varying(4)').set('regtype', 'text').set('int8multirange', undefined);
  const columns = [...examples.keys()].map((type, index) => `c${index} ${type}`);
  await source.query(`create table t (${columns.join(', ')})`);
  const table = await from.table('public.t', undefined);
  expect(table.columns.map(({ type }) => type)).toEqual([...examples].map(([type, as]) => as ?? type));
});

test('money travels as the amount', async () => {
  const both = await pair(
    `create table t (m money, ms money[]); insert into t values (-1234.56, '{1,NULL}')`,
  );
  for (const format of ['pg-binary', 'copy-text'] as const) {
    await replicate(both, 'public.t', { format });
    expect(await both.destination.query('select m::text, ms::text from copy.t')).toEqual([
      { m: '-1234.56', ms: '{1.00,NULL}' },
    ]);
  }
});

test('a table of a hundred thousand rows arrives whole', async () => {
  const both = await pair();
  await both.source.query(
    `create table big as select i as id, md5(i::text) as a, repeat('x', i % 700) as b from generate_series(1, 100000) i`,
  );
  for (const format of ['pg-binary', 'copy-text'] as const) {
    expect(await replicate(both, 'public.big', { format })).toMatchObject({ rows: 100_000 });
    expect(await contentHash(both.destination, 'copy.big')).toEqual(await contentHash(both.source, 'big'));
  }
});

test('sockets that cannot recycle buffers, as with TLS, give the same rows', async () => {
  const both = await pair();
  await both.source.query(
    'create table t as select i as id, md5(i::text) as a from generate_series(1, 50000) i',
  );
  const connect = connectTo(both.source);
  const plain = { ...both, from: bulkSource((applicationName) => connect(applicationName)) };
  for (const format of ['pg-binary', 'copy-text'] as const) {
    expect(await replicate(plain, 'public.t', { format })).toMatchObject({ rows: 50_000 });
    expect(await contentHash(both.destination, 'copy.t')).toEqual(await contentHash(both.source, 't'));
  }
});

test('keys, odd names, no rows, no columns', async () => {
  const both = await pair();
  await both.source.query(`
    create schema "we""ird 💥";
    create table "we""ird 💥"."ta.ble 'x' 🦩" ("select" int, "Ü; drop" text, "a""b" int, primary key ("a""b", "select"));
    insert into "we""ird 💥"."ta.ble 'x' 🦩" values (1, 'x', 2);
    create table empty (id int primary key);
    create table columnless ();
    insert into columnless default values;
    insert into columnless default values`);
  const table = await both.from.table(`we"ird 💥.ta.ble 'x' 🦩`, undefined);
  expect(table.primaryKey).toEqual(['a"b', 'select']);
  const load = await both.to.load({ ...outputOf(table, 'Zi"el', "ta.ble 'x' 🦩") }, planOf());
  await load.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await load.commit({});
  const [row] = await both.destination.query(`select * from "Zi""el"."ta.ble 'x' 🦩"`);
  expect(row).toEqual({ select: 1, 'Ü; drop': 'x', 'a"b': 2 });
  const keys = await both.destination.query(
    `select conname, pg_get_constraintdef(oid) as definition from pg_constraint where contype = 'p' and conrelid = '"Zi""el"."ta.ble ''x'' 🦩"'::regclass`,
  );
  expect(keys).toEqual([{ conname: "ta.ble 'x' 🦩_pkey", definition: 'PRIMARY KEY ("a""b", "select")' }]);
  expect(await replicate(both, 'public.empty')).toMatchObject({ rows: 0 });
  expect(await replicate(both, 'public.columnless')).toMatchObject({ rows: 2 });
});

test('a selection of columns leaves the key out when it is not whole', async () => {
  const both = await pair();
  await both.source.query('create table t (a int, b int, c text, primary key (a, b))');
  expect(await both.from.table('public.t', ['c', 'a'])).toMatchObject({
    columns: [{ name: 'a' }, { name: 'c' }],
    primaryKey: [],
  });
  await expect(both.from.table('public.gone', undefined)).rejects.toMatchObject({ key: 'not_found' });
});

test('readers see the old rows until the commit, then the new ones, and keep their grants', async () => {
  const both = await pair();
  await both.source.query('create table t (id int primary key); insert into t values (1)');
  await replicate(both, 'public.t');
  const role = `reader_${process.pid}`;
  await both.destination.query(
    `create role ${role}; grant usage on schema copy to ${role}; grant select on copy.t to ${role}`,
  );
  try {
    await both.source.query('insert into t values (2)');
    const table = await both.from.table('public.t', undefined);
    const load = await both.to.load(outputOf(table), planOf());
    await load.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
    expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 1 }]);
    await load.commit({});
    expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(
      await both.destination.query(`select has_table_privilege('${role}', 'copy.t', 'select') as may`),
    ).toEqual([{ may: true }]);
    expect(
      await both.destination.query(
        `select conname from pg_constraint where contype = 'p' and conrelid = 'copy.t'::regclass`,
      ),
    ).toEqual([{ conname: 't_pkey' }]);
    expect(await tablesOf(both.destination)).toEqual(['copy.t']);
  } finally {
    await both.destination.query(`drop owned by ${role}; drop role ${role}`);
  }
});

test('indexes of the table that is replaced are kept, and one that cannot be is named', async () => {
  const both = await pair(
    `create table "T x" (id int primary key, a text, b int); insert into "T x" values (1, 'x', 1), (2, 'y', 1)`,
  );
  await replicate(both, 'public.T x');
  await both.destination.query(`
    create function copy.fold(text) returns text immutable language sql as 'select lower($1)';
    create index "by USING a" on copy."T x" (copy.fold(a) desc, b) include (id) where b > 0;
    create unique index "B" on copy."T x" (b, id); create index gone on copy."T x" using hash (b);
    create unique index one on copy."T x" (a)`);
  const definitions = `select indexdef from pg_indexes where schemaname = 'copy' and tablename = 'T x' order by indexname`;
  const before = await both.destination.query(definitions);
  expect(await replicate(both, 'public.T x')).toMatchObject({ changes: [] });
  expect(await both.destination.query(definitions)).toEqual(before);
  await both.source.query(`update "T x" set a = 'x'; alter table "T x" rename b to c`);
  const { changes } = await replicate(both, 'public.T x');
  expect(changes).toEqual([
    'index B is lost: column "b" does not exist',
    'index by USING a is lost: column "b" does not exist',
    'index gone is lost: column "b" does not exist',
    expect.stringMatching(/^index one is lost: could not create unique index/),
  ]);
});

test('a transaction older than the swap that looks after it sees the rows, not an empty table', async () => {
  const both = await pair();
  await both.source.query('create table t as select 1 as id');
  const reader = await connectTo(both.destination)('reader');
  await reader.query('begin isolation level repeatable read; select 1');
  await replicate(both, 'public.t');
  expect((await reader.query('select id from copy.t')).rows).toEqual([{ id: 1 }]);
  await reader.end();
});

test('a table that views or foreign keys depend on is refused by name, before any row is read', async () => {
  const both = await pair();
  await both.source.query('create table t (id int primary key); insert into t values (1)');
  await replicate(both, 'public.t');
  await both.destination.query('create view copy.report as select * from copy.t');
  await expect(replicate(both, 'public.t')).rejects.toThrow(
    'copy.t cannot be replaced because view copy.report depends on it',
  );
  await both.destination.query('drop view copy.report; create table copy.child (id int references copy.t)');
  await expect(replicate(both, 'public.t')).rejects.toThrow(
    'constraint child_id_fkey on table copy.child depends on it',
  );
  expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 1 }]);
});

test('a sync onto its own source is refused', async () => {
  const source = await testDatabase();
  await source.query('create table t as select 1 as id');
  const [from, to] = [bulkSource(connectTo(source)), bulkDestination(connectTo(source))];
  const output = outputOf(await from.table('public.t', undefined), 'public');
  await expect(to.load(output, planOf())).rejects.toThrow(
    'public.t in the destination is the source table itself',
  );
  await (await to.load({ ...output, name: 'copy_of_t' }, planOf())).abort();
});

test('the swap waits for a reader of the live table', async () => {
  const both = await pair();
  await both.source.query('create table t as select 1 as id');
  await replicate(both, 'public.t');
  const reader = await connectTo(both.destination)('reader');
  await reader.query('begin; select * from copy.t');
  await both.source.query('update t set id = 2');
  const swapped = replicate(both, 'public.t');
  const waiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`;
  await expect.poll(() => both.destination.query(waiting), { timeout: 10_000 }).toHaveLength(1);
  await reader.query('commit');
  await swapped;
  await reader.end();
  expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 2 }]);
});

test('an aborted or failed load leaves the live table and nothing else', async () => {
  const both = await pair();
  await both.source.query('create table t as select i as id from generate_series(1, 50000) i');
  await replicate(both, 'public.t');
  const table = await both.from.table('public.t', undefined);
  const aborted = await both.to.load(outputOf(table), planOf());
  await aborted.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await aborted.abort();

  const failed = await both.to.load(outputOf(table), planOf());
  await both.source.query('alter table t alter id type bigint');
  const wrong = { ...table, columns: table.columns.map((column) => ({ ...column, type: 'bigint' })) };
  const refused = failed.write(await both.from.read(wrong, 'pg-binary', {}), 'pg-binary');
  await expect(refused).rejects.toThrow('incorrect binary data format');
  expect(await both.destination.query('select count(*)::int as rows from copy.t')).toEqual([
    { rows: 50_000 },
  ]);
  expect(await tablesOf(both.destination)).toEqual(['copy.t']);
});

test('a source that fails in the middle fails the load with its own words', async () => {
  const both = await pair();
  await both.source.query(
    `create view bad as select 1000 / (50000 - i) as id from generate_series(1, 60000) i`,
  );
  await expect(replicate(both, 'public.bad')).rejects.toThrow('division by zero');
  expect(await tablesOf(both.destination)).toEqual([]);
});

test.each(['source', 'destination'] as const)(
  'a connection lost on the %s is told from a refusal',
  async (side) => {
    const both = await pair();
    await both.source.query(
      `create table t as select i as id, repeat('x', 1000) as filler from generate_series(1, 100000) i`,
    );
    const table = await both.from.table('public.t', undefined);
    const load = await both.to.load(outputOf(table), planOf());
    const rows = await both.from.read(table, 'pg-binary', {});
    const written = load.write(rows, 'pg-binary');
    const refused = expect(written).rejects.toMatchObject({ name: 'ConnectionLost' });
    const killed = side === 'source' ? 'tidemark bulk read' : `tidemark load ${execution} %`;
    await expect.poll(() => rows.rows, { timeout: 20_000 }).toBeGreaterThan(0);
    await both[side].query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like $1 and datname = current_database()`,
      [killed],
    );
    await refused;
    await load.abort();
    expect(await replicate(both, 'public.t')).toMatchObject({ rows: 100_000 });
  },
);

test('a run that takes over ends the load of the run before it', async () => {
  const both = await pair();
  await both.source.query('create table t as select 1 as id');
  const table = await both.from.table('public.t', undefined);
  const stalled = await both.to.load(outputOf(table), planOf());
  await stalled.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary');
  await both.source.query('update t set id = 2');
  expect(await replicate(both, 'public.t')).toMatchObject({ rows: 1 });
  await expect(stalled.commit({})).rejects.toMatchObject({ name: 'ConnectionLost' });
  expect(await both.destination.query('select id from copy.t')).toEqual([{ id: 2 }]);
  expect(await tablesOf(both.destination)).toEqual(['copy.t']);
});
