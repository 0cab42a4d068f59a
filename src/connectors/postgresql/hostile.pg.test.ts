import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { connectTo, outputOf, planOf, replicate } from '../../../test/support/bulk-pair.ts';
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts';
import { loopback } from '../../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { isKnownType } from '../../lib/sql-quoting.ts';
import type { Session, TargetDefinition } from '../contract.ts';
import { storage } from '../duckdb-engine/index.ts';
import { outputColumns } from '../mysql/bulk-columns.ts';
import { newColumn } from '../new-columns.ts';
import { bulkDestination } from './bulk-destination.ts';
import { bulkSource } from './bulk-source.ts';
import { postgresql } from './index.ts';

/** Functions of the system's that our statements may call, as the sources have them. */
const called = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
  .flatMap(
    (name) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8').match(/\b[a-z_0-9]+(?=\()/g) ?? [],
  );

/**
 * A schema in the role's path whose functions, operators, types and views fit better than the system's, or come before them.
 * Each ends the transaction that calls it.
 */
const trap = `
  create schema trap;
  create function trap.sprung() returns boolean language plpgsql as $$ begin raise exception 'trapped by a view'; end $$;
  do $do$
  declare f record; variant text; body text;
  begin
    for f in select proname, proargtypes::oid[] as types, provariadic <> 0 as variadic from pg_proc
      where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and not proretset and proname = any($names$${`{${[...new Set(called)].join(',')}}`}$names$::name[])
        and not proargtypes::oid[] && array['internal', 'cstring', 'anyarray', 'anyelement', 'anynonarray']::regtype[]::oid[]
    loop
      body := format($$ returns text language plpgsql as 'begin raise exception ''trapped by %s''; end'$$, f.proname);
      foreach variant in array case when f.variadic then array['text, name', 'text, name, name', 'text, text, name', 'text, text, name, name',
          'text, text, text', 'text, text, text, name, text', 'text, name, text', 'text, integer, text', 'text, oid, name', 'text, text']
        else array[(select string_agg(format_type(t, -1), ', ' order by n) from unnest(f.types) with ordinality u(t, n)),
          (select string_agg(case format_type(t, -1) when 'text' then 'name' when 'name' then 'text' else format_type(t, -1) end, ', ' order by n)
             from unnest(f.types) with ordinality u(t, n))] end
      loop
        execute format('create or replace function trap.%I(%s)', f.proname, variant) || body;
      end loop;
    end loop;
  exception when invalid_function_definition then raise;
  end $do$;
  create function trap.op(text, name) returns text language plpgsql as $$ begin raise exception 'trapped by ||'; end $$;
  create function trap.op(name, text) returns text language plpgsql as $$ begin raise exception 'trapped by ||'; end $$;
  create function trap.is(name, name) returns boolean language plpgsql as $$ begin raise exception 'trapped by ~~'; end $$;
  create function trap.is(oid, regclass) returns boolean language plpgsql as $$ begin raise exception 'trapped by ='; end $$;
  create operator trap.|| (function = trap.op, leftarg = text, rightarg = name);
  create operator trap.|| (function = trap.op, leftarg = name, rightarg = text);
  create operator trap.~~ (function = trap.is, leftarg = name, rightarg = name);
  create operator trap.!~~ (function = trap.is, leftarg = name, rightarg = name);
  create operator trap.= (function = trap.is, leftarg = name, rightarg = name);
  create operator trap.<> (function = trap.is, leftarg = name, rightarg = name);
  create operator trap.= (function = trap.is, leftarg = oid, rightarg = regclass);
  create domain trap.text as pg_catalog.varchar(1);
  create domain trap.name as pg_catalog.varchar(1);
  create domain trap.oid as pg_catalog.varchar(1);
  ${['pg_class', 'pg_namespace', 'pg_type', 'pg_index', 'pg_constraint', 'pg_trigger', 'pg_inherits']
    .map((view) => `create view trap.${view} as select * from pg_catalog.${view} where trap.sprung()`)
    .join(';')}`;

const setPath = async (database: TestDatabase, path: string) => {
  const name = new URL(database.url).pathname.slice(1);
  await database.query(`alter database "${name}" set search_path = ${path}`);
};

const open = (database: TestDatabase): Session =>
  postgresql.open({ ...postgresqlConfiguration(database.url), client_certs: false }, { egress: loopback });

const people = `create table people (id int primary key, name varchar(40) check (name <> 'x'), raw text default 'a');
  create index people_name on people (lower(name)); comment on table people is 'of ours';
  insert into people values (1, 'Ann'), (2, 'Bob')`;

test.each(['trap, public', 'public, trap', 'trap, pg_catalog, public'])(
  'nothing that the role’s path %s has runs instead of the system’s',
  async (path) => {
    const [source, destination] = [await testDatabase(), await testDatabase()];
    for (const database of [source, destination]) {
      await database.query(`${people}; ${trap}`);
      await setPath(database, path);
    }
    const session = open(source);
    const schemas = (await session.catalogue?.schemas()) ?? [];
    expect(schemas.find(({ id }) => id === 'public.people')?.fields).toHaveLength(3);
    expect(await session.catalogue?.records('public.people', 1)).toEqual(['{"id":1,"name":"Ann","raw":"a"}']);
    const model = { table: 'public.people' };
    expect(await session.modelSource?.meta?.({})).toBeDefined();
    expect((await session.modelSource?.fields(model))?.map(({ remoteType }) => remoteType)).toEqual([
      'integer',
      'character varying(40)',
      'text',
    ]);
    expect(await session.modelSource?.sample(model, ['id'], 1)).toEqual([['1']]);
    await session.close();

    const both = { from: bulkSource(connectTo(source)), to: bulkDestination(connectTo(destination)) };
    for (const plan of [{}, {}, { truncate: true }, { mode: 'merge', missing: 'remove' }] as const) {
      expect(await replicate(both, 'public.people', { plan, output: { schema: 'copy' } })).toMatchObject({
        rows: 2,
      });
    }
    const table = await both.from.table('public.people', undefined);
    expect(await both.from.trackingBound?.(table, 'id')).toBe('2');
    const load = await both.to.load(outputOf(table), planOf({ ranged: true }));
    await load.write(await both.from.read(table, 'pg-binary', {}), 'pg-binary', { id: 'a', bounds: {} });
    expect(await load.commit({})).toMatchObject({ rows: 2 });
    await expect(both.from.read(table, 'copy-text', { salt: 'salt' })).resolves.toBeDefined();

    const target = open(destination);
    const to = target.modelDestination;
    if (to === undefined) throw new Error('no model destination');
    expect((await to.objects()).map(({ id }) => id)).toContain('public.people');
    const [id, name] = await to.fields('public.people');
    if (id === undefined || name === undefined) throw new Error('no fields');
    expect(await to.refusals?.('public.people', [{ target: 'name', source: name, text: 'x' }])).toBeDefined();
    expect(await to.life?.({ object: 'public.people' } as TargetDefinition)).toMatchObject({
      isEmpty: false,
    });
    const definition: TargetDefinition = {
      sync: { id: 'a', name: 'a' },
      object: 'public.people',
      configuration: {},
      mode: 'updateOrCreate',
      identity: 'id',
      fields: [{ source: name, target: 'name', createOnly: false }],
    };
    await to.alike?.({ ...definition, identity: 'name' });
    const record = (key: string) => ({ key, hash: '1', values: [`of ${key}`] });
    const writer = await to.writer(definition);
    expect(await writer.write([record('2'), record('3')], async () => {})).toMatchObject([
      { status: 'updated' },
      { status: 'inserted' },
    ]);
    const replacement = await to.replacement?.({ ...definition, mode: 'replace' });
    await replacement?.add([record('7')]);
    await replacement?.replace(
      (async function* () {})(),
      async () => {},
      async () => {},
    );
    expect(await to.creation?.schemas()).toContain('public');
    const made = await to.creation?.createTable({ ...outputOf(table, 'public', 'made'), origin: undefined });
    await to.creation?.addColumns(made ?? '', [newColumn('more', undefined)]);
    await target.close();
    expect(await destination.query('select id from public.people')).toEqual([{ id: 7 }]);
  },
);

test('a source whose own catalogue lies runs nothing in the destination', async () => {
  const [source, destination] = [await testDatabase(), await testDatabase()];
  await source.query(`${people}; create table t (id int primary key)`);
  await destination.query('create table precious (id int); insert into precious values (1)');
  const lie = 'text); drop table precious; --';
  await source.query(`
    create function say(oid) returns text language sql as $$ select '${lie}' $$;
    create cast (oid as text) with function say(oid) as implicit;
    create or replace function pg_catalog.format_type(oid, integer) returns text language sql as $$ select '${lie}' $$;
    create or replace function pg_catalog.pg_get_constraintdef(oid) returns text language sql as $$ select '${lie}' $$`);
  const both = { from: bulkSource(connectTo(source)), to: bulkDestination(connectTo(destination)) };
  await expect(replicate(both, 'public.people', {})).rejects.toThrow('has a type that is none');
  const session = open(source);
  const fields = (await session.modelSource?.fields({ table: 'public.people' })) ?? [];
  expect(fields.map(({ remoteType }) => remoteType)).toEqual([lie, lie, lie]);
  const columns = fields.map((field) => newColumn(field.name, field));
  expect(columns.every(({ type }) => isKnownType(type))).toBe(true);
  await session.close();

  const target = open(destination);
  const liars = fields.map(({ name }) => ({ name, outputName: name, type: lie, nullable: true }));
  const output = { schema: 'public', name: 'made', columns: liars, primaryKey: [], origin: undefined };
  await expect(target.modelDestination?.creation?.createTable(output)).rejects.toThrow(
    'has a type that is none',
  );
  await expect(target.modelDestination?.creation?.addColumns('public.precious', liars)).rejects.toThrow(
    'is none',
  );
  await target.close();
  // What other systems make of it is a type of theirs.
  expect(storage(lie).type).toBe('VARCHAR');
  expect(outputColumns(output).map(({ type }) => type)).toEqual(['longtext', 'longtext', 'longtext']);
  expect(await destination.query('select id from precious')).toEqual([{ id: 1 }]);
});

test('the types that a server has of its own are known, and no other', async () => {
  const database = await testDatabase();
  const rows = await database.query<{ type: string }>(
    `select format_type(t.oid, -1) as type from pg_type t
       join pg_type element on element.oid = case when t.typcategory = 'A' then t.typelem else t.oid end
     where element.oid < 16384 and element.typnamespace = 'pg_catalog'::regnamespace and t.typtype <> 'p'
       and element.typtype in ('b', 'r', 'm') and element.typsend <> 0
       and (element.typcategory <> 'Z' or element.typname = 'char') and element.typname not like 'reg%'`,
  );
  const unknown = rows.filter(({ type }) => !isKnownType(type)).map(({ type }) => type);
  expect(unknown.filter((type) => !/^(int2vector|oidvector)\[\]$/.test(type))).toEqual([]);
  expect(rows.length).toBeGreaterThan(100);
  const modified = [
    'timestamp(3) with time zone',
    'numeric(10,2)[]',
    'interval day to second(3)',
    'character(5)',
  ];
  expect(modified.filter((type) => !isKnownType(type))).toEqual([]);
  for (const type of [
    'mood',
    'public.text',
    'text\n',
    'text ',
    'int',
    'integer default now()',
    'text[]; --',
    'numeric(1,2',
    '',
  ]) {
    expect([type, isKnownType(type)]).toEqual([type, false]);
  }
});
