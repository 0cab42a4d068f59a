import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import type { Run } from '../executions/index.ts';
import type { ModelSync } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists people;
    create table people (id int primary key, name text, active boolean default true);
    insert into people select n, 'p' || n from generate_series(1, 6) n`);
  await world.target.query(`drop table if exists people; drop table if exists teams;
    create table teams (name text primary key); insert into teams select 'p' || n from generate_series(1, 9) n;
    create table people (id int primary key, name text references teams)`);
});

type Settings = Omit<Parameters<ModelSyncs['createSync']>[0], 'model' | 'fields'>;
const settingsOf = async (more: Settings) => ({
  model: await world.createModel({ table: 'public.people' }),
  object: 'public.people',
  identity: ['id', 'id'] as [string, string],
  fields: ['name'],
  ...more,
});
const ids = async () =>
  (await world.target.query<{ id: number }>('select id from people order by id')).map(({ id }) => id);
const all = [1, 2, 3, 4, 5, 6];

/** As a user who cancels it at the nth commit. */
const canceledAt = (n: number, id: string) => (run: Run) => {
  let commits = 0;
  const commit: Run['commit'] = async (progress, work) => {
    if (++commits === n)
      await world.db.updateTable('executions').set({ status: 'canceling' }).where('id', '=', id).execute();
    await run.commit(progress, work);
  };
  return { ...run, commit };
};

async function cancel(sync: ModelSync, n: number, options = {}): Promise<void> {
  const id = await world.start(sync, options);
  expect((await world.run(sync, id, canceledAt(n, id))).outcome.status).toBe('interrupted');
  await world.db
    .updateTable('executions')
    .set({ status: 'canceled', completed_at: new Date().toISOString() })
    .where('id', '=', id)
    .execute();
}

test.each(['resync', 'sync_all_records'])('what a %s could not send is sent afterwards', async (how) => {
  const settings = await settingsOf({ sync_all_records: how === 'sync_all_records' });
  const sync = await world.createSync(settings);
  await world.execute(sync);
  await world.target.query(`delete from people; delete from teams where name = 'p2'`);
  const refused = await world.execute(sync, how === 'resync' ? { resync: true } : {});
  expect(refused.counts).toMatchObject({ insert: 5, error: 1 });
  await world.target.query(`insert into teams values ('p2')`);
  const usual = await world.updateSync(sync.id, { ...settings, sync_all_records: false });
  expect((await world.execute(usual)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(await ids()).toEqual(all);
});

test.each([1, 2, 3])('a resync that is canceled at commit %i leaves nothing acknowledged', async (n) => {
  const sync = await world.createSync(await settingsOf({ skip_initial_backfill: n === 1 }));
  await world.execute(sync, { resync: true });
  await world.target.query('delete from people');
  await cancel(sync, n, { resync: true });
  await world.execute(sync);
  expect(await ids()).toEqual(all);
});

test('a row that mode update did not find at a resync is looked for from then on', async () => {
  await world.target.query(`insert into people select n, 'p1' from generate_series(1, 6) n`);
  const sync = await world.createSync(await settingsOf({ mode: 'update' }));
  await world.execute(sync);
  await world.target.query('delete from people where id = 3');
  await world.execute(sync, { resync: true });
  await world.target.query(`insert into people values (3, 'p9')`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, update: 1 });
});

test.each(['updateOrCreate', 'update', 'create', 'append'] as const)(
  'mode %s: a record that leaves the filter and comes back as it was is sent again',
  async (mode) => {
    const settings = await settingsOf({ mode, filters: [{ field_id: 'active', function: 'True' }] });
    if (mode === 'update') await world.target.query(`insert into people values (2, 'p1')`);
    if (mode === 'append') await world.target.query('alter table people drop constraint people_pkey');
    const sync = await world.createSync(settings);
    await world.execute(sync);
    await world.source.query('update people set active = false where id = 2');
    await world.execute(sync);
    if (mode !== 'update') await world.target.query('delete from people where id = 2');
    await world.source.query('update people set active = true where id = 2');
    expect((await world.execute(sync)).counts).toMatchObject(
      mode === 'update' ? { update: 1 } : { total: 1, insert: 1 },
    );
    expect(await ids()).toContain(2);
  },
);

test('two syncs that move a record between them', async () => {
  const only = (active: boolean) => [{ field_id: 'active', function: active ? 'True' : 'False' }];
  const present = await world.createSync(await settingsOf({ filters: only(true) }));
  const gone = await world.createSync(await settingsOf({ mode: 'remove', filters: only(false) }));
  for (const active of [true, false, true, false, true]) {
    await world.source.query('update people set active = $1 where id = 2', [active]);
    await world.execute(gone);
    await world.execute(present);
    expect(await ids()).toEqual(active ? all : [1, 3, 4, 5, 6]);
  }
});

test('what a webhook may have taken before the execution ended is sent once more, whatever it has become', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const settings = await settingsOf({
    connectionId: await world.connect('webhook', { url: receiver.url }),
    object: 'http',
    identity: ['id', 'record'],
  });
  const sync = await world.createSync({ ...settings, fields: [['name', 'record']] });
  const names = new Map<number, string>();
  let answers: 200 | 'reset' = 200;
  receiver.behave(({ body }) => {
    const { records } = JSON.parse(body.toString()).object;
    for (const { fields } of records) names.set(fields.id, fields.name);
    return answers;
  });
  await world.execute(sync);
  await world.source.query(`update people set name = 'other' where id = 2`);
  answers = 'reset';
  await world.execute(sync);
  expect(names.get(2)).toBe('other');
  await world.source.query(`update people set name = 'p2' where id = 2`);
  answers = 200;
  await world.execute(sync);
  expect(names.get(2)).toBe('p2');
});
