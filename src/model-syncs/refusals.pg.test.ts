import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { readConsole } from '../executions/index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

test('one record that is refused among 1,000 fails alone, with its reason, and is offered again', async () => {
  await world.source.query(`create table people (id int primary key, name text);
    insert into people select n, 'p' || n from generate_series(1, 1000) n;
    update people set name = 'refused' where id = 500`);
  await world.target.query(`create table persons (id int primary key, name text,
    constraint no_refused check (name <> 'refused'))`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.people' }, 'id'),
    object: 'public.persons',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  const first = await world.execute(sync);
  expect(first.outcome).toEqual({ status: 'completed' });
  expect(first.counts).toMatchObject({ total: 1000, insert: 999, error: 1 });
  expect(await world.log(first.id, 'errors')).toEqual([
    {
      identity: { id: '500' },
      reason: expect.stringContaining('no_refused'),
      record: { id: '500', name: 'refused' },
    },
  ]);
  expect(await world.log(first.id, 'inserts')).toHaveLength(999);
  expect(await world.target.query('select id from persons')).toHaveLength(999);

  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, error: 1 });
  await world.source.query(`update people set name = 'good' where id = 500`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
});

test('what passes is tried again inside the execution; what does not pass keeps only its own record back', async () => {
  await world.source.query(
    `create table busy as select n as id, 'b' || n as name from generate_series(1, 300) n`,
  );
  // A sequence goes on counting when its transaction is rolled back.
  await world.target.query(`create table contended (id int primary key, name text); create sequence tries;
    create function contend() returns trigger language plpgsql as $$ begin
      if new.id = 70 and nextval('tries') < 3 then raise 'deadlock detected' using errcode = '40P01'; end if;
      if new.name = 'locked' then raise 'locked by somebody' using errcode = '55P03'; end if;
      return new; end $$;
    create trigger contend before insert on contended for each row execute function contend()`);
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.busy' }, 'id'),
    object: 'public.contended',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  const passed = await world.execute(sync);
  expect(passed.counts).toMatchObject({ total: 300, insert: 300 });
  const { entries } = await readConsole(world.db, passed.id, {});
  expect(entries.filter(({ message }) => /deadlock detected; trying again/.test(message))).toHaveLength(2);

  await world.source.query(`update busy set name = case id when 150 then 'locked' else 'new' end`);
  await world.target.query('truncate contended');
  const kept = await world.execute(sync, { resync: true });
  expect(kept.outcome).toEqual({ status: 'completed' });
  expect(kept.counts).toMatchObject({ total: 300, insert: 299, error: 1 });
  expect(await world.log(kept.id, 'errors')).toEqual([
    expect.objectContaining({
      identity: { id: '150' },
      reason: expect.stringContaining('locked by somebody'),
    }),
  ]);
  await world.target.query('drop trigger contend on contended');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
});

test('a value that is too long for an index of the target keeps only its own record back', async () => {
  await world.source.query(`create table texts as select n as id, 't' || n as name from generate_series(1, 20) n;
    update texts set name = (select string_agg(md5(n::text), '') from generate_series(1, 500) n) where id = 7`);
  await world.target.query(
    'create table found (id int primary key, name text); create index on found (name)',
  );
  const settings = {
    model: await world.createModel({ table: 'public.texts' }, 'id'),
    object: 'public.found',
  };
  const identity = { identity: ['id', 'id'] as [string, string], fields: ['name'] };
  const { id, counts } = await world.execute(await world.createSync({ ...settings, ...identity }));
  expect(counts).toMatchObject({ total: 20, insert: 19, error: 1 });
  expect(await world.log(id, 'errors')).toMatchObject([{ identity: { id: '7' } }]);
});

test('a value that is rounded is a warning, one that would be another is refused, whatever the mode', async () => {
  await world.source.query(`create table prices (id int primary key, price numeric, paid timestamptz);
    insert into prices values (1, 1.239, '2024-02-29 12:34:56.7+00'), (2, 1.5, null), (3, 3, null)`);
  await world.target.query(`create table paid (id numeric(3,1) primary key, price numeric(10,2), paid date)`);
  const model = await world.createModel({
    query: 'select id + 0.01 * (id - 1) * (id - 2) as id, price, paid from prices',
  });
  const settings = { model, object: 'public.paid', fields: ['price', 'paid'] };
  for (const mode of ['updateOrCreate', 'replace'] as const) {
    const sync = await world.createSync({ ...settings, mode, identity: ['id', 'id'] });
    const executed = await world.execute(sync);
    expect(executed.counts).toMatchObject({ total: 3, error: 1, warnings: 2 });
    expect(await world.log(executed.id, 'warnings')).toEqual([
      {
        identity: { id: '1.00' },
        field: 'price',
        rule: 'number_rounded',
        reason: 'numeric(10,2) keeps no more than 2 decimals',
        value: '1.239',
      },
      {
        identity: { id: '1.00' },
        field: 'paid',
        rule: 'time_dropped',
        reason: 'date keeps no time of day',
        value: '2024-02-29 12:34:56.7+00',
      },
    ]);
    // Rounded, it would be the identity of another record.
    expect(await world.log(executed.id, 'errors')).toMatchObject([
      { identity: { id: '3.02' }, reason: 'id: numeric(3,1) keeps no more than 1 decimals' },
    ]);
    expect(
      await world.target.query('select id::text, price::text, paid::text from paid order by id'),
    ).toEqual([
      { id: '1.0', price: '1.24', paid: '2024-02-29' },
      { id: '2.0', price: '1.50', paid: null },
    ]);
    await world.target.query('truncate paid');
  }
});

test('records whose identity is NULL or repeated are errors, each one, and none is sent', async () => {
  await world.source.query(`create table loose (id int, name text);
    insert into loose values (1, 'one'), (2, 'two'), (2, 'two again'), (2, 'and again'), (null, 'nobody'),
      (null, 'nobody else')`);
  await world.target.query('create table tight (id int primary key, name text)');
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.loose' }),
    object: 'public.tight',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  const executed = await world.execute(sync);
  expect(executed.counts).toMatchObject({ total: 6, insert: 1, error: 5 });
  const errors = (await world.log(executed.id, 'errors')) as { identity: unknown; reason: string }[];
  expect(
    errors.map((error) => error.identity).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  ).toEqual([{ id: '2' }, { id: '2' }, { id: '2' }, { id: null }, { id: null }]);
  expect(errors.map((error) => error.reason)).toEqual(
    expect.arrayContaining(['the identity is NULL', expect.stringMatching(/^3 records .* unique/)]),
  );
  expect(await world.target.query('select * from tight')).toEqual([{ id: 1, name: 'one' }]);
});

test('a model of which every identity is NULL: each record is an error, once', async () => {
  await world.source.query(
    'create table nobody as select null::int as id, n as name from generate_series(1, 5001) n',
  );
  await world.target.query('create table somebody (id int primary key, name int)');
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.nobody' }),
    object: 'public.somebody',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  const executed = await world.execute(sync);
  expect(executed.counts).toMatchObject({ total: 5001, error: 5001 });
  expect(await world.log(executed.id, 'errors')).toHaveLength(5001);
});

test('values arrive exactly', async () => {
  await world.source.query(`create table odd (
      id bigint primary key, n numeric, small numeric(40, 20), f float8, r real, t timestamptz, l timestamp, d date,
      i interval, j jsonb, raw json, tags text[], nested int[][], b bytea, u uuid, s text, yes boolean);
    insert into odd values
      (9223372036854775807, 'NaN', 12345678901234567890.12345678901234567890, 'Infinity', 1.1,
        '2024-02-29 23:59:59.999999+00', '0001-01-01 00:00:00.000001', 'infinity', '1 mon -2 days 03:04:05.678',
        '{"big": 18014398509481982123, "x": 1.10}', '{"b": 1,  "a": [1, 1.0]}', array['a,b', null, 'NULL', '"q\\', ''],
        '{{1,2},{3,null}}', '\\x00ff5c', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', E'ü 🌊 \\t\\n\\\\ "', true),
      (-9223372036854775808, 1e-30, 0, '-0', 3.4e38, '-infinity', 'infinity', '0044-03-15 BC', '0', '[]', 'null', '{}', '{}',
        '', null, '', false),
      (0, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`);
  await world.target.query(
    'create table odd (id bigint primary key, n numeric, small numeric(40, 20), f float8, r real, t timestamptz, l timestamp, d date, i interval, j jsonb, raw json, tags text[], nested int[][], b bytea, u uuid, s text, yes boolean)',
  );
  const fields = [
    'n',
    'small',
    'f',
    'r',
    't',
    'l',
    'd',
    'i',
    'j',
    'raw',
    'tags',
    'nested',
    'b',
    'u',
    's',
    'yes',
  ];
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.odd' }, 'id'),
    object: 'public.odd',
    identity: ['id', 'id'],
    fields,
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3 });
  const rows = `select row_to_json(odd)::text || odd::text as row from odd order by id`;
  const there = await world.target.query(rows);
  expect(there).toEqual(await world.source.query(rows));
  expect(there).toHaveLength(3);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
});

test('a target that is gone fails the execution with the story, and the next one goes on', async () => {
  await world.source.query(
    `create table few (id int primary key, name text); insert into few values (1, 'a')`,
  );
  await world.target.query('create table fewer (id int primary key, name text)');
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.few' }, 'id'),
    object: 'public.fewer',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  await world.target.query('alter table fewer rename to away');
  const failed = await world.execute(sync);
  expect(failed.outcome).toMatchObject({ status: 'failed', errors: [expect.stringContaining('fewer')] });
  await world.target.query('alter table away rename to fewer');
  expect((await world.execute(sync)).counts).toMatchObject({ insert: 1 });
  await world.source.query('alter table few drop column name');
  expect((await world.execute(sync)).outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringContaining('name')],
  });
});
