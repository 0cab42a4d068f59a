import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import { presentModelSync } from './present.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`
    drop table if exists customers;
    create table customers (id bigint primary key, level text, visits numeric, active boolean, seen timestamptz,
      day date, tags text[], data jsonb);
    insert into customers values
      (1, 'gold', 10.50, true, '2024-01-01 12:00:00.5+00', '2024-01-01', '{a,b}', '{"a": 1}'),
      (2, 'silver', 2, false, null, null, null, null),
      (3, null, 12345678901234567890.5, null, '2025-01-01 00:00+00', '2025-01-01', '{}', '[1]')`);
  await world.target.query(`
    drop table if exists contacts;
    create table contacts (contact_id bigint primary key, level text, visits numeric, active boolean,
      seen timestamptz, day date, tags text[], data jsonb)`);
});

const fields = ['level', 'visits', 'active', 'seen', 'day', 'tags', 'data'];
const on = (field_id: string, name: string, value: unknown, override: unknown) => ({
  field_id,
  function: name,
  value,
  override,
});
async function settingsOf(overrides: ReturnType<typeof on>[], more: object = {}) {
  const model = await world.createModel({ table: 'public.customers' }, 'id');
  return { model, identity: ['id', 'contact_id'] as [string, string], fields, overrides, ...more };
}
const sent = () => world.target.query('select to_jsonb(contacts) as row from contacts order by contact_id');

test('what fits is replaced, in every type of field; the log shows what was sent', async () => {
  const sync = await world.createSync(
    await settingsOf([
      on('level', 'IsNull', undefined, 'none'),
      on('level', 'StringStartsWith', 'go', 'first'),
      on('level', 'StringStartsWith', 'gol', 'never'),
      on('visits', 'GreaterThan', '12345678901234567890.4', '98765432109876543210.25'),
      on('visits', 'Equality', 2, null),
      on('active', 'IsNull', undefined, true),
      on('seen', 'OnOrAfter', '2025-01-01', '2030-06-01T10:00:00+02:00'),
      on('day', 'Equality', '2024-01-01', '1999-12-31'),
      on('tags', 'ArrayContains', 'a', null),
      on('data', 'IsNull', undefined, { b: [true] }),
    ]),
  );
  const { id, counts } = await world.execute(sync);
  expect(counts).toMatchObject({ total: 3, insert: 3 });
  const expected = [
    { level: 'first', active: true, day: '1999-12-31', tags: null, data: { a: 1 } },
    { level: 'silver', visits: null, active: false, data: { b: [true] } },
    { level: 'none', active: true, seen: '2030-06-01T08:00:00+00:00', tags: [] },
  ];
  expect((await sent()).map(({ row }) => row)).toEqual(expected.map((row) => expect.objectContaining(row)));
  const [{ visits } = {}] = await world.target.query(
    'select visits::text from contacts where contact_id = 3',
  );
  expect(visits).toBe('98765432109876543210.25');
  const logged = (await world.log(id, 'inserts')) as { level: string }[];
  expect(logged.map(({ level }) => level).sort()).toEqual(['first', 'none', 'silver']);
  expect(logged).toContainEqual(
    expect.objectContaining({ level: 'none', seen: '2030-06-01T10:00:00+02:00' }),
  );
});

test('what did not change is not sent again; another override looks at every record anew', async () => {
  const settings = await settingsOf([on('level', 'Equality', 'gold', 'first')]);
  const sync = await world.createSync(settings);
  await world.execute(sync);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.source.query(`update customers set level = 'gold' where id = 2`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
  const levels = () => world.target.query('select level from contacts order by contact_id');
  expect(await levels()).toEqual([{ level: 'first' }, { level: 'first' }, { level: null }]);

  const changed = await world.updateSync(sync.id, {
    ...settings,
    overrides: [on('level', 'Equality', 'gold', 'top')],
  });
  expect((await world.execute(changed)).counts).toMatchObject({ total: 3, update: 3 });
  const none = await world.updateSync(sync.id, { ...settings, overrides: [] });
  await world.execute(none);
  expect(await levels()).toEqual([{ level: 'gold' }, { level: 'gold' }, { level: null }]);
});

test('a webhook gets the replaced values, and its hashes stay', async () => {
  const receiver = await startReceiver();
  const connectionId = await world.connect('webhook', { url: `${receiver.url}/hook` });
  const base = await settingsOf([on('visits', 'LessThan', 3, 3)]);
  const settings = {
    ...base,
    connectionId,
    object: 'http',
    identity: ['id', 'record'] as [string, string],
    fields: [['visits', 'record'] as [string, string]],
  };
  const sync = await world.createSync(settings);
  await world.execute(sync);
  await world.execute(sync, { resync: true });
  interface Body {
    object: { records: { hash: string; fields: { id: number; visits: number } }[] };
  }
  const bodies = receiver.requests.map(({ body }) => (JSON.parse(`${body}`) as Body).object.records);
  expect(bodies[0]?.map((record) => record.fields).find(({ id }) => id === 2)).toEqual({ id: 2, visits: 3 });
  expect(bodies[1]).toEqual(bodies[0]);

  // What is sent is something else now, of the same values: a receiver that goes by the hash must not drop it.
  await world.updateSync(sync.id, { ...settings, overrides: [on('visits', 'LessThan', 3, 4)] });
  await world.execute(sync);
  const last = (JSON.parse(`${receiver.requests.at(-1)?.body}`) as Body).object.records;
  expect(last.find(({ fields: { id } }) => id === 2)?.fields.visits).toBe(4);
  const before = new Set(bodies[0]?.map(({ hash }) => hash));
  expect(last.filter(({ hash }) => before.has(hash))).toEqual([]);
  await receiver.close();
});

test('an override that cannot mean what it says is refused, by name; one that is stored comes back', async () => {
  const refusals: [ReturnType<typeof on>, RegExp][] = [
    [on('nothing', 'IsNull', undefined, 1), /overrides\.0\.field_id.*is no field/],
    [on('visits', 'StringContains', 'x', 1), /overrides\.0\.function.*does not suit visits/],
    [on('visits', 'GreaterThan', 'x', 1), /overrides\.0\.value/],
    [on('visits', 'GreaterThan', 1, 'many'), /overrides\.0\.override/],
    [on('visits', 'GreaterThan', 1, undefined), /overrides\.0\.override.*is needed/],
    [on('tags', 'IsNull', undefined, ['a']), /overrides\.0\.override.*null/],
    [on('id', 'Equality', 1, 2), /overrides\.0\.field.*identity/],
    [on('seen', 'InTheLast', '2 days', null), /overrides\.0\.function.*sync_all_records/],
  ];
  for (const [override, reason] of refusals) {
    const settings = await settingsOf([override]);
    await expect(world.createSync(settings), reason.source).rejects.toThrow(reason);
  }
  const unmapped = await settingsOf([on('level', 'IsNull', undefined, 'x')], { fields: ['visits'] });
  await expect(world.createSync(unmapped)).rejects.toThrow(/not among the fields/);

  const overrides = [on('level', 'IsNull', undefined, 'none'), on('seen', 'InTheLast', '2 days', null)];
  const sync = await world.createSync(await settingsOf(overrides, { sync_all_records: true }));
  const field = (name: string) => ({ model_id: sync.modelId, field: name });
  expect(presentModelSync(sync, 'either').overrides).toEqual([
    { field: field('level'), function: 'IsNull', override: 'none' },
    { field: field('seen'), function: 'InTheLast', value: '2 days', override: null },
  ]);
});
