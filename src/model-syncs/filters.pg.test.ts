import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import type { ModelSync } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`
    drop table if exists customers;
    create table customers (id bigint primary key, email text, visits int, seen_at timestamptz, level text);
    insert into customers select n, 'c' || n || '@example.com', n, now() - n * interval '1 hour', 'level ' || n % 2
    from generate_series(1, 6) n`);
  await world.target.query(`
    drop table if exists contacts;
    create table contacts (contact_id bigint primary key, email text, visits int)`);
});

type Settings = Pick<
  Parameters<ModelSyncs['createSync']>[0],
  'filters' | 'filter_logic' | 'skip_initial_backfill'
>;

async function settingsOf(more: Settings) {
  const model = await world.createModel({ table: 'public.customers' }, 'id');
  return { model, identity: ['id', 'contact_id'] as [string, string], fields: ['email', 'visits'], ...more };
}
const contacts = async () => {
  const rows = await world.target.query<{ id: number; visits: number }>(
    'select contact_id::int as id, visits from contacts order by 1',
  );
  return rows.map(({ id, visits }) => `${id}: ${visits}`);
};
const on = (field_id: string, name: string, value?: unknown) => ({ field_id, function: name, value });

test('only records that fit are sent; another filter looks at every record again and resends none', async () => {
  const settings = await settingsOf({
    filters: [on('visits', 'GreaterThan', 3), on('level', 'Equality', 'level 0')],
  });
  const sync = await world.createSync(settings);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, insert: 2 });
  expect(await contacts()).toEqual(['4: 4', '6: 6']);

  const wider = await world.updateSync(sync.id, { ...settings, filter_logic: 'A OR B' });
  expect((await world.execute(wider)).counts).toMatchObject({ total: 2, insert: 2 });
  expect(await contacts()).toEqual(['2: 2', '4: 4', '5: 5', '6: 6']);

  // Those that fit no more are gone from the model: their changes are not sent, and nothing is taken from the target.
  const other = await world.updateSync(sync.id, { ...settings, filter_logic: 'NOT (A OR B)' });
  await world.source.query('update customers set visits = visits + 100 where id = 6');
  expect((await world.execute(other)).counts).toMatchObject({ total: 2, insert: 2 });
  expect(await contacts()).toEqual(['1: 1', '2: 2', '3: 3', '4: 4', '5: 5', '6: 6']);
});

test('a record that comes to fit is sent, one that ceases to fit is left as it was', async () => {
  const sync = await world.createSync(await settingsOf({ filters: [on('level', 'StringEndsWith', '1')] }));
  await world.execute(sync);
  expect(await contacts()).toEqual(['1: 1', '3: 3', '5: 5']);
  await world.source.query(`update customers set level = 'none', visits = 50 where id = 1;
    update customers set level = 'level 1' where id = 2`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(await contacts()).toEqual(['1: 1', '2: 2', '3: 3', '5: 5']);
  await world.source.query(`update customers set level = 'level 1' where id = 1`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
  expect((await contacts())[0]).toBe('1: 50');
});

test('replace: the target becomes what fits, and what fits no more goes', async () => {
  const settings = {
    ...(await settingsOf({ filters: [on('visits', 'Between', [2, 4])] })),
    mode: 'replace' as const,
  };
  const sync = await world.createSync(settings);
  await world.execute(sync);
  expect(await contacts()).toEqual(['2: 2', '3: 3', '4: 4']);
  await world.execute(
    await world.updateSync(sync.id, { ...settings, filters: [on('visits', 'Between', [4, 5])] }),
  );
  expect(await contacts()).toEqual(['4: 4', '5: 5']);
});

test('records asked for by identity must fit as well, and a dry run counts what fits', async () => {
  const sync = await world.createSync(await settingsOf({ filters: [on('visits', 'LessThanEqual', 2)] }));
  expect((await world.execute(sync, { test: true })).counts).toMatchObject({ insert: 2 });
  await world.execute(sync, { identities: ['1', '5'] });
  expect(await contacts()).toEqual(['1: 1']);
});

test('a backfill that is skipped notes what fits; what a wider filter adds is new', async () => {
  const settings = await settingsOf({ filters: [on('visits', 'LessThan', 3)], skip_initial_backfill: true });
  const sync = await world.createSync(settings);
  await world.execute(sync);
  expect(await contacts()).toEqual([]);
  await world.execute(
    await world.updateSync(sync.id, { ...settings, filters: [on('visits', 'LessThan', 4)] }),
  );
  expect(await contacts()).toEqual(['3: 3']);
});

test('relative times count from the start of the execution, also for a worker that takes over', async () => {
  const sync = await world.createSync(
    await settingsOf({ filters: [on('seen_at', 'InTheLast', '150 minutes')] }),
  );
  const id = await world.start(sync);
  const started = '2024-02-29T12:00:00.000000Z';
  await world.source.query(
    `update customers set seen_at = timestamptz '${started}' - id * interval '1 hour'`,
  );
  await world.db.updateTable('executions').set({ started_at: started }).where('id', '=', id).execute();
  expect((await world.run(sync, id)).counts).toMatchObject({ insert: 2 });
  expect(await contacts()).toEqual(['1: 1', '2: 2']);
});

async function failure(sync: ModelSync): Promise<unknown> {
  return (await world.execute(sync)).outcome;
}

test('a filter that the source cannot carry out any more fails the execution by the name of the field', async () => {
  const settings = await settingsOf({ filters: [on('level', 'Equality', 'level 1')] });
  const sync = await world.createSync(settings);
  await world.source.query(`create type level as enum ('low', 'high');
    alter table customers alter level type level using 'low'`);
  expect(await failure(sync)).toEqual({
    status: 'failed',
    errors: ['The model could not be read: filter on level: invalid input value for enum level: "level 1"'],
  });
  await world.source.query('alter table customers alter level type boolean using true');
  expect(await failure(sync)).toMatchObject({
    errors: [expect.stringContaining('filter on level: "level 1" is neither true nor false, as level is')],
  });
  await world.source.query('alter table customers drop level');
  expect(await failure(sync)).toMatchObject({
    errors: [expect.stringContaining('filter on level: "level" is no field; there are id (number)')],
  });
  expect(await contacts()).toEqual([]);
});

test('a filter of neither kind is refused, and not left out', async () => {
  for (const field_type of ['Source', 'constructor']) {
    const filters = [{ ...on('visits', 'GreaterThan', 3), field_type }];
    await expect(settingsOf({ filters }).then(world.createSync)).rejects.toThrow('is one of Model, Target');
  }
});
