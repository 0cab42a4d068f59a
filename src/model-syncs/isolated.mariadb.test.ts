/** Whatever code a target refuses a record with, and however many it refuses: the others are delivered. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';
import type { ModelSync } from './index.ts';

let world: ModelSyncs;
beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A column of the target, a value that it takes and one that it does not. */
type Case = [column: string, good: string, bad: string];

async function syncTo(target: Pick<ModelTarget, 'connectionId' | 'object'>, table: string, names: string[]) {
  return world.createSync({
    model: await world.createModel({ table: `public.${table}` }),
    connectionId: target.connectionId,
    object: target.object(table),
    identity: ['id', 'id'],
    fields: names,
  });
}

/** For each case a record that has its bad value, and as many beside them that have none. @returns reasons by column. */
async function refuseEach(
  target: Pick<ModelTarget, 'connectionId' | 'object'>,
  table: string,
  cases: readonly Case[],
): Promise<Record<string, string>> {
  const names = cases.map(([column]) => column);
  const rows = Array.from({ length: 2 * cases.length }, (_, n) =>
    cases.map(([, good, bad], index) => `'${n === 2 * index ? bad : good}'`).join(', '),
  );
  await world.source.query(`create table ${table} (id int, ${names.map((name) => `${name} text`).join(', ')});
    insert into ${table} values ${rows.map((row, n) => `(${n}, ${row})`).join(', ')}`);
  const sync = await syncTo(target, table, names);
  const bad = cases.length;
  const { id, outcome, counts } = await world.execute(sync);
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 2 * bad, insert: bad, error: bad });
  const errors = (await world.log(id, 'errors')) as { identity: { id: string }; reason: string }[];
  expect(errors.map(({ identity }) => Number(identity.id))).toEqual(cases.map((_, index) => 2 * index));
  expect(await world.log(id, 'inserts')).toHaveLength(bad);
  // Nothing else is sent again, and without others beside them they are records' errors, too.
  const again = await world.execute(sync);
  expect(again).toMatchObject({
    outcome: { status: 'completed' },
    counts: { total: bad, error: bad },
  });
  await world.source.query(
    `update ${table} set ${cases.map(([name, good]) => `${name} = '${good}'`).join(', ')}`,
  );
  expect((await world.execute(sync)).counts).toMatchObject({ total: bad, insert: bad });
  return Object.fromEntries(names.map((name, index) => [name, errors[index]?.reason ?? '']));
}

/** The table goes when it is about to be written to. */
async function executeWithout(sync: ModelSync, drop: () => Promise<unknown>) {
  return world.run(sync, await world.start(sync), (run) => ({
    ...run,
    async console(level, message) {
      if (message.startsWith('Sending')) await drop();
      await run.console(level, message);
    },
  }));
}

describe('PostgreSQL', () => {
  test('types that call a malformed value a syntax error or a thing that does not exist', async () => {
    const cases: Case[] = [
      ['hstore', 'a=>1', '=>'],
      ['ltree', 'a.b', 'a..b '],
      ['lquery', 'a.*', '!!'],
      ['tsquery', 'a & b', 'a &'],
      ['jsonpath', '$.a', '$$'],
      ['query_int', '1&2', '1&'],
      ['regclass', 'pg_class', 'no_such'],
      ['regprocedure', 'now()', 'no_such()'],
    ];
    await world.target.query(`create extension hstore; create extension ltree; create extension intarray;
      create table typed (id int primary key, ${cases.map(([type]) => `${type} ${type}`).join(', ')})`);
    const reasons = await refuseEach(postgresqlTarget(world), 'typed', cases);
    for (const [type, reason] of Object.entries(reasons)) expect(reason).toMatch(new RegExp(`^${type}: `));
  });

  test('triggers that raise errors of any class', async () => {
    const codes = ['42501', '42703', '42P01', '53100', '57P01', '0A000', 'XX000', 'P0001'];
    const cases = codes.map((code): Case => [`c_${code.toLowerCase()}`, 'good', 'bad']);
    await world.target.query(`create table raising (id int primary key, ${cases.map(([name]) => `${name} text`).join(', ')});
      create function raising() returns trigger language plpgsql as $$ begin
        ${cases.map(([name], n) => `if new.${name} = 'bad' then raise '${name}!' using errcode = '${codes[n]}'; end if;`).join('\n')}
        return new; end $$;
      create trigger t before insert on raising for each row execute function raising()`);
    const reasons = await refuseEach(postgresqlTarget(world), 'raising', cases);
    for (const [name, reason] of Object.entries(reasons)) expect(reason).toContain(`${name}!`);
  });

  test('a row against row-level security', async () => {
    // A superuser passes by policies.
    const role = `plain_${crypto.randomUUID().slice(0, 8)}`;
    await world.target.query(`create table policed (id int primary key, v text);
      alter table policed enable row level security; create policy p on policed using (true) with check (v <> 'bad');
      create role ${role} login password 'plain'; grant all on policed to ${role}`);
    const target = { ...postgresqlTarget(world), connectionId: await world.connectAs(role, 'plain') };
    const { v } = await refuseEach(target, 'policed', [['v', 'good', 'bad']]);
    expect(v).toContain('row-level security');
  });

  test('sixty that are refused before all others do not stand in their way', async () => {
    await world.source.query(`create table many as select n as id, case when n > 60 then 'good' else 'bad' end as v
      from generate_series(1, 65) n`);
    await world.target.query(`create table many (id int primary key, v text);
      create function many() returns trigger language plpgsql as $$ begin
        if new.v = 'bad' then raise 'not allowed' using errcode = '42501'; end if; return new; end $$;
      create trigger t before insert on many for each row execute function many()`);
    const { outcome, counts } = await world.execute(await syncTo(postgresqlTarget(world), 'many', ['v']));
    expect(outcome).toEqual({ status: 'completed' });
    expect(counts).toMatchObject({ total: 65, insert: 5, error: 60 });
  });

  test('what is refused without a record, too, fails the execution; all come again', async () => {
    await world.source.query(
      `create table whole as select n as id, 'v' as v from generate_series(1, 1000) n`,
    );
    await world.target.query(`create table whole (id int primary key, v text);
      create function whole() returns trigger language plpgsql as $$ begin
        raise 'closed for today' using errcode = '42501'; end $$;
      create trigger t before insert on whole for each statement execute function whole()`);
    const sync = await syncTo(postgresqlTarget(world), 'whole', ['v']);
    const failed = await world.execute(sync);
    expect(failed.outcome).toMatchObject({
      status: 'failed',
      errors: ['The target refuses any record: closed for today'],
    });
    expect(await world.log(failed.id, 'errors')).toEqual([]);
    await world.target.query('drop trigger t on whole');
    const gone = await executeWithout(sync, () => world.target.query('alter table whole rename to away'));
    expect(gone.outcome).toMatchObject({
      errors: ['The target refuses any record: relation "public.whole" does not exist'],
    });
    await world.target.query('alter table away rename to whole');
    expect((await world.execute(sync)).counts).toMatchObject({ total: 1000, insert: 1000 });
  });
});

describeMariadb('MariaDB', () => {
  let target: ModelTarget;
  beforeAll(async () => {
    target = await mariadbTarget(world);
  });
  afterAll(() => target[Symbol.asyncDispose]());

  test('no partition for the value, triggers that signal any state', async () => {
    const codes = ['42000', '02000', '45000', '08S01', '42S22'];
    const cases = codes.map((code): Case => [`c_${code.toLowerCase()}`, 'good', 'bad']);
    await target.query(`create table odd (id int, p varchar(10), ${cases.map(([name]) => `${name} varchar(10)`).join(', ')},
      primary key (id, p)) partition by list columns (p) (partition p values in ('good'))`);
    await target.query(`create trigger odd before insert on odd for each row begin
      ${cases.map(([name], n) => `if new.${name} = 'bad' then signal sqlstate '${codes[n]}' set message_text = '${name}!'; end if;`).join('\n')}
      end`);
    const { p, ...reasons } = await refuseEach(target, 'odd', [['p', 'good', 'bad'], ...cases]);
    expect(p).toContain('partition');
    for (const [name, reason] of Object.entries(reasons)) expect(reason).toContain(`${name}!`);
  });

  test('a table that is gone fails the execution', async () => {
    await world.source.query(`create table going as select n as id, 'v' as v from generate_series(1, 300) n`);
    await target.query('create table going (id int primary key, v varchar(10))');
    const sync = await syncTo(target, 'going', ['v']);
    expect((await executeWithout(sync, () => target.query('drop table going'))).outcome).toMatchObject({
      status: 'failed',
      errors: [expect.stringContaining('going')],
    });
  });
});

test('DuckDB: whatever a cast or an enum says', async () => {
  const target = await duckdbTarget(world);
  await target.query(
    `create table cast_to (id int primary key, e enum ('good'), j json, s struct(a int)); create table t (id int)`,
  );
  await refuseEach(target, 'cast_to', [
    ['e', 'good', 'bad'],
    ['j', '{}', '{'],
    ['s', '{"a": 1}', '{"a": "b"}'],
  ]);
});
