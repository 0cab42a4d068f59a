import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { until } from '../../test/support/until.ts';
import type { Run } from '../executions/index.ts';
import type { ModelSync } from './index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists items; create table items (id int, name text);
    insert into items select n, 'i' || n from generate_series(1, 5) n`);
  await world.target.query(`drop table if exists things cascade;
    create table things (id int primary key, name text check (name <> 'refused'), note text default 'none')`);
});

const things = () => world.target.query('select * from things order by id, name');
const thing = (id: number, name = `i${id}`, note = 'none') => ({ id, name, note });

async function replacing(settings: { identity?: [string, string]; mode?: 'replace' | 'snapshot' } = {}) {
  return world.createSync({
    model: await world.createModel({ table: 'public.items' }),
    mode: settings.mode ?? 'replace',
    object: 'public.things',
    ...(settings.identity ? { identity: settings.identity } : {}),
    fields: settings.identity ? ['name'] : ['id', 'name'],
  });
}
const byId = { identity: ['id', 'id'] as [string, string] };

test('the target equals the model: what differs is changed, the rest not touched, and all of it is told', async () => {
  await world.target.query(
    `insert into things values (2, 'i2', 'kept'), (3, 'old', 'kept'), (99, 'gone', null)`,
  );
  const sync = await replacing(byId);
  const [before] = await world.target.query('select ctid, xmin from things where id = 2');
  const first = await world.execute(sync);
  expect(first.outcome).toEqual({ status: 'completed' });
  expect(first.counts).toMatchObject({ total: 5, insert: 3, update: 1, delete: 1 });
  expect(await things()).toEqual([
    thing(1),
    thing(2, 'i2', 'kept'),
    thing(3, 'i3', 'kept'),
    thing(4),
    thing(5),
  ]);
  expect(await world.target.query('select ctid, xmin from things where id = 2')).toEqual([before]);
  expect(await world.log(first.id, 'records')).toHaveLength(5);
  expect(await world.log(first.id, 'inserts')).toHaveLength(3);
  expect(await world.log(first.id, 'updates')).toEqual([{ id: '3', name: 'i3' }]);
  expect(await world.log(first.id, 'deletes')).toEqual([{ id: '99', name: 'gone' }]);

  // Whatever happened to the target meanwhile, and without a change in the source.
  await world.target.query(`delete from things where id = 1; insert into things values (7, 'i7')`);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 1, delete: 1 });
  const quiet = await world.execute(sync);
  expect(quiet.counts).toMatchObject({ total: 5 });
  expect(await world.log(quiet.id, 'updates')).toEqual([]);
  await world.source.query('truncate items');
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0, delete: 5 });
  expect(await things()).toEqual([]);
});

test('without an identity rows are told apart by their content and how often it is there', async () => {
  await world.target.query('alter table things drop constraint things_pkey, alter id drop not null');
  await world.source.query(`insert into items values (1, 'i1'), (null, null)`);
  await world.target.query(
    `insert into things values (1, 'i1', 'first'), (1, 'i1', 'second'), (1, 'i1', 'third'), (8, 'other', 'x')`,
  );
  const sync = await replacing({ mode: 'snapshot' });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 7, insert: 5, delete: 2 });
  expect((await things()).map(({ id, name }) => [id, name])).toEqual([
    [1, 'i1'],
    [1, 'i1'],
    [2, 'i2'],
    [3, 'i3'],
    [4, 'i4'],
    [5, 'i5'],
    [null, null],
  ]);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 7 });
});

test('a record that cannot be stored is an error, and leaves the row that has its identity as it is', async () => {
  await world.target.query(`insert into things values (2, 'mine'), (3, 'mine'), (4, 'old')`);
  await world.source.query(`update items set name = 'refused' where id = 2;
    insert into items values (3, 'again'), (null, 'nobody')`);
  const sync = await replacing(byId);
  const executed = await world.execute(sync);
  expect(executed.counts).toMatchObject({ total: 7, insert: 2, update: 1, error: 4 });
  expect(await things()).toEqual([thing(1), thing(2, 'mine'), thing(3, 'mine'), thing(4), thing(5)]);
  const errors = (await world.log(executed.id, 'errors')) as { reason: string }[];
  expect(errors.map(({ reason }) => reason).sort()).toEqual([
    expect.stringMatching(/2 records .* unique/),
    expect.stringMatching(/2 records .* unique/),
    expect.stringContaining('things_name_check'),
    'the identity is NULL',
  ]);
});

test('what only the whole shows ends the execution, and the target is as it was', async () => {
  await world.target.query(`insert into things values (9, 'used');
    create table uses (thing int references things); insert into uses values (9)`);
  const before = await things();
  const sync = await replacing(byId);
  const failed = await world.execute(sync);
  expect(failed.outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringMatching(/as it was: .*uses_thing_fkey/)],
  });
  expect(failed.counts.insert ?? 0).toBe(0);
  expect(await things()).toEqual(before);
  expect(await world.log(failed.id, 'inserts')).toEqual([]);
  await world.target.query('drop table uses');
  expect((await world.execute(sync)).counts).toMatchObject({ insert: 5, delete: 1 });
});

test('readers see the old rows or the new ones', async () => {
  await world.target.query(`insert into things values (9, 'old');
    create or replace function wait_here() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(7); return new; end $$;
    create trigger wait_here before insert on things for each row execute function wait_here()`);
  const { release } = await world.target.hold('select pg_advisory_xact_lock(7)');
  const running = world.execute(await replacing(byId));
  const waiting = `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`;
  await until(async () => (await world.target.query(waiting)).length > 0);
  expect(await things()).toEqual([thing(9, 'old')]);
  await release();
  expect((await running).counts).toMatchObject({ insert: 5, delete: 1 });
  expect(await things()).toHaveLength(5);
});

const die = (at: 'adding' | 'prepared' | 'counting') => (run: Run) => ({
  ...run,
  async commit(...[progress, work]: Parameters<Run['commit']>) {
    if (at === 'counting' && progress.counts !== undefined && progress.checkpoint === undefined) {
      throw new Error('killed');
    }
    await run.commit(progress, work);
    if (at === 'adding' && progress.hold && work === undefined) throw new Error('killed');
    if (at === 'prepared' && progress.hold && work !== undefined) throw new Error('killed');
  },
});

test.each(['adding', 'prepared', 'counting'] as const)('killed when %s: counted once', async (at) => {
  await world.target.query(`insert into things values (9, 'old'), (2, 'old')`);
  const sync: ModelSync = await replacing(byId);
  const id = await world.start(sync);
  expect((await world.run(sync, id, die(at))).outcome).toMatchObject({ status: 'interrupted' });
  expect(await things()).toHaveLength(at === 'counting' ? 5 : 2);
  const taken = await world.run(sync, id);
  expect(taken.outcome).toEqual({ status: 'completed' });
  expect(taken.counts).toMatchObject({ total: 5, insert: 4, update: 1, delete: 1 });
  for (const [type, entries] of [
    ['records', 5],
    ['inserts', 4],
    ['updates', 1],
    ['deletes', 1],
  ] as const) {
    expect(await world.log(id, type)).toHaveLength(entries);
  }
  expect(await things()).toEqual([1, 2, 3, 4, 5].map((n) => thing(n)));
});
