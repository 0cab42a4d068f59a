import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { createModelSync } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());

const declared = (types: Record<string, string>) =>
  Object.entries(types).map(([name, type]) => ({ name, label: name, type }));

const types = {
  'doc.id': 'number',
  'doc.person.name': 'string',
  'doc.amount': 'number',
  'doc.active': 'boolean',
  'doc.at': 'datetime',
  'doc.items[1].sku': 'string',
  'doc.items': 'array',
  'doc["a.b"]': 'string',
};

test('fields in JSON are fields: exact, typed, compared, filtered by, and an identity', async () => {
  await world.source.query(`create table documents (n int, doc jsonb);
    insert into documents values
      (1, '{"id": 9007199254740993, "person": {"name": "Zoë"}, "amount": 0.10, "active": true, "at": "2024-02-29T23:59:59.5Z",
        "items": [{"sku": "a"}, {"sku": "b"}], "a.b": "dotted", "other": 1}'),
      (2, '{"id": 2, "person": null, "amount": 12345678901234567890.123, "active": false}'),
      (3, '{"id": 3, "amount": "1e2"}'), (4, '{"id": 4, "amount": "none"}'), (5, '{"id": 5, "amount": -1}')`);
  await world.target.query(`create table flat (id numeric primary key, name text, amount numeric, active boolean,
    at timestamptz, sku text, items jsonb, dotted text)`);
  const model = await world.createModel({ table: 'public.documents' }, 'doc.id', {
    additional_fields: declared(types),
  });
  expect(model.fields.map(({ name }) => name)).toEqual(['n', 'doc', ...Object.keys(types)]);
  const sync = await world.createSync({
    model,
    object: 'public.flat',
    identity: ['doc.id', 'id'],
    fields: [
      ['doc.person.name', 'name'],
      ['doc.amount', 'amount'],
      ['doc.active', 'active'],
      ['doc.at', 'at'],
      ['doc.items[1].sku', 'sku'],
      ['doc.items', 'items'],
      ['doc["a.b"]', 'dotted'],
    ],
    filters: [
      { field: { model_id: model.id, field: 'n' }, function: 'LessThan', value: 5 },
      { field: { model_id: model.id, field: 'doc.id' }, function: 'GreaterThan', value: 1 },
    ],
  });
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 4, insert: 3, error: 1 });
  // A value of another type is neither lost nor made up: the target decides.
  expect(await world.log(first.id, 'errors')).toEqual([
    {
      identity: { id: '4' },
      reason: expect.stringContaining('numeric'),
      record: expect.objectContaining({ amount: 'none' }),
    },
  ]);
  expect(await world.target.query('select flat::text as row from flat order by id')).toEqual([
    { row: '(2,,12345678901234567890.123,f,,,,)' },
    { row: '(3,,100,,,,,)' },
    {
      row: `(9007199254740993,Zoë,0.10,t,"2024-02-29 23:59:59.5+00",b,"[{""sku"": ""a""}, {""sku"": ""b""}]",dotted)`,
    },
  ]);

  // What changes beside them is no change.
  await world.source.query(`update documents set doc = doc || '{"other": 2}', n = 0 where n = 1`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, error: 1 });
  await world.source.query(`update documents set doc = doc || '{"amount": 0.1}' where n in (0, 4)`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, insert: 1, update: 1 });
  const asked = await world.execute(sync, { identities: ['9007199254740993'], resync: true });
  expect(asked.counts).toMatchObject({ total: 1, update: 1 });
});

test('text that is no JSON is an error of its record, and a row that is to be replaced stays', async () => {
  await world.source.query(`create table notes (id int, note text, tags text[]);
    insert into notes values (1, '{"k": 1}', '{a,"b c"}'), (2, '{"k": ', '{}'), (3, null, '{null}')`);
  await world.target.query(
    `create table ks (id int primary key, k text, tag text); insert into ks values (2, 'old'), (9, 'gone')`,
  );
  const model = await world.createModel({ table: 'public.notes' }, 'id', {
    additional_fields: declared({ 'note.k': 'string', 'tags[1]': 'string' }),
  });
  const of = (mode: 'replace' | 'updateOrCreate') =>
    world.createSync({
      model,
      mode,
      object: 'public.ks',
      identity: ['id', 'id'],
      fields: [
        ['note.k', 'k'],
        ['tags[1]', 'tag'],
      ],
    });
  const replaced = await world.execute(await of('replace'));
  expect(replaced.counts).toMatchObject({ total: 3, insert: 2, delete: 1, error: 1 });
  const error = { identity: { id: '2' }, reason: 'note is not valid JSON, so it has no fields in it' };
  expect(await world.log(replaced.id, 'errors')).toEqual([error]);
  const left = [
    { id: 1, k: '1', tag: 'b c' },
    { id: 2, k: 'old', tag: null },
    { id: 3, k: null, tag: null },
  ];
  expect(await world.target.query('select * from ks order by id')).toEqual(left);
  const sync = await of('updateOrCreate');
  await world.execute(sync);
  const again = await world.execute(sync);
  expect(again.counts).toMatchObject({ total: 1, error: 1 });
  expect(await world.log(again.id, 'errors')).toEqual([error]);
  await world.source.query(`update notes set note = '{"k": "two"}' where id = 2`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
});

test('text that PostgreSQL cannot hold is an error of its record alone, and joins with its like', async () => {
  await world.source.query(`create table escapes (id int, doc json); insert into escapes values
    (1, '{"a":"fine","b":"one"}'), (2, '{"a":"two","b":"x\\u0000y"}'), (3, '{"a":"x\\u0000y","b":"three"}'),
    (4, '{"a":"four","b":"\\ud83c"}')`);
  await world.target.query('create table escapes (a text primary key, b text)');
  const create = (more: object) =>
    world.createModel({ table: 'public.escapes' }, 'doc.a', {
      additional_fields: declared({ 'doc.a': 'string', 'doc.b': 'string' }),
      ...more,
    });
  const other = await create({});
  const model = await create({ relations: [{ from: 'doc.a', to: { model_id: other.id, field: 'doc.a' } }] });
  for (const whose of [model, other]) {
    await world.target.query('truncate escapes');
    const sync = await createModelSync(world.deps, world.organizationId, world.actor, {
      name: 'escapes',
      mode: 'updateOrCreate',
      schedule: {},
      target: { connection_id: world.targetId, object: 'public.escapes' },
      identity: { source: { model_id: model.id, field: 'doc.a' }, target: 'a', function: 'Equality' },
      fields: [{ source: { model_id: whose.id, field: 'doc.b' }, target: 'b' }],
    });
    const { id, outcome, counts } = await world.execute(sync);
    expect(outcome).toEqual({ status: 'completed' });
    expect(counts).toMatchObject({ total: 4, insert: 2, error: 2 });
    expect(await world.log(id, 'errors')).toEqual([
      { identity: { a: 'x\\u0000y' }, reason: expect.stringContaining('has the character U+0000') },
      {
        identity: { a: 'two' },
        reason: expect.stringContaining('0x00'),
        record: { a: 'two', b: 'x\0y' },
      },
    ]);
    expect(await world.target.query('select * from escapes order by a')).toEqual([
      { a: 'fine', b: 'one' },
      { a: 'four', b: '"\\ud83c"' },
    ]);
  }
});

test('related records that are found by text which is no JSON are told of', async () => {
  await world.source.query(`create table holders (id int, note text); insert into holders values (1, 'a'), (2, 'b');
    create table held (id int, note text, value text);
    insert into held values (1, '{"of": "a"}', 'one'), (2, '{"of": ', 'two'), (3, null, 'three')`);
  await world.target.query('create table holdings (id int primary key, value text)');
  const held = await world.createModel({ table: 'public.held' }, 'id', {
    name: 'Held',
    additional_fields: declared({ 'note.of': 'string' }),
  });
  const model = await world.createModel({ table: 'public.holders' }, 'id', {
    relations: [{ from: 'note', to: { model_id: held.id, field: 'note.of' } }],
  });
  const sync = await createModelSync(world.deps, world.organizationId, world.actor, {
    name: 'holdings',
    mode: 'updateOrCreate',
    schedule: {},
    target: { connection_id: world.targetId, object: 'public.holdings' },
    identity: { source: { model_id: model.id, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source: { model_id: held.id, field: 'value' }, target: 'value' }],
  });
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 2, insert: 2, error: 0 });
  const told = await world.db
    .selectFrom('execution_console')
    .select('message')
    .where('execution_id', '=', id)
    .where('level', '=', 'warn')
    .execute();
  const problem = 'note is not valid JSON, so it has no fields in it';
  expect(told).toEqual([{ message: `1 records of model Held could be nobody's partner: ${problem}` }]);
});

test('with tracking columns a record has changed when one of these has', async () => {
  await world.source.query(`create table tracked (id int, name text, seen int);
    insert into tracked values (1, 'a', 1), (2, 'b', 1)`);
  await world.target.query('create table seen (id int primary key, name text)');
  const sync = await world.createSync({
    model: await world.createModel({ table: 'public.tracked' }, 'id', { tracking_columns: ['seen'] }),
    object: 'public.seen',
    identity: ['id', 'id'],
    fields: ['name'],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, insert: 2 });
  await world.source.query(`update tracked set name = 'c'`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.source.query('update tracked set seen = 2 where id = 2');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
  expect(await world.target.query('select * from seen order by id')).toEqual([
    { id: 1, name: 'a' },
    { id: 2, name: 'c' },
  ]);
});
