import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Run } from '../../src/executions/index.ts';
import type { ModelSync } from '../../src/model-syncs/index.ts';
import { type ModelSyncs, startModelSyncs } from './model-syncs.ts';
import type { ModelTarget } from './model-targets.ts';

export interface Replacing {
  world: ModelSyncs;
  target: ModelTarget;
  /** Rows of the target. */
  things(): Promise<Record<string, unknown>[]>;
  /** A sync that replaces them by the items of the source. */
  replacing(settings?: { identity?: [string, string]; mode?: 'replace' | 'snapshot' }): Promise<ModelSync>;
}

export const thing = (id: number, name = `i${id}`, note = 'none') => ({ id, name, note });
export const byId = { identity: ['id', 'id'] as [string, string] };

const columns = (key: string) =>
  `id int ${key}, name varchar(40) check (name <> 'refused'), note varchar(40) default 'none'`;

/** What mode replace does in every system. @returns the same for tests of one's own. */
export function replaceCases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): Replacing {
  let world: ModelSyncs;
  let target: ModelTarget;

  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await world.source.query(`drop table if exists items; create table items (id int, name text);
      insert into items select n, 'i' || n from generate_series(1, 5) n`);
    await target.query(`drop table if exists uses; drop table if exists things;
      create table things (${columns('primary key')})`);
  });

  const things = () => target.query('select * from things order by id, name');
  const replacing = async (settings: Parameters<Replacing['replacing']>[0] = {}) =>
    world.createSync({
      model: await world.createModel({ table: 'public.items' }),
      mode: settings.mode ?? 'replace',
      connectionId: target.connectionId,
      object: target.object('things'),
      ...(settings.identity ? { identity: settings.identity } : {}),
      fields: settings.identity ? ['name'] : ['id', 'name'],
    });

  test('the target equals the model: what differs is changed, the rest not touched, and all of it is told', async () => {
    await target.query(`insert into things values (2, 'i2', 'kept'), (3, 'old', 'kept'), (99, 'gone', null)`);
    const sync = await replacing(byId);
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
    expect(await world.log(first.id, 'records')).toHaveLength(5);
    expect(await world.log(first.id, 'inserts')).toHaveLength(3);
    expect(await world.log(first.id, 'updates')).toEqual([{ id: '3', name: 'i3' }]);
    expect(await world.log(first.id, 'deletes')).toEqual([{ id: '99', name: 'gone' }]);

    // Whatever happened to the target meanwhile, and without a change in the source.
    await target.query(`delete from things where id = 1; insert into things (id, name) values (7, 'i7')`);
    expect((await world.execute(sync)).counts).toMatchObject({ total: 5, insert: 1, delete: 1 });
    const quiet = await world.execute(sync);
    expect(quiet.counts).toMatchObject({ total: 5 });
    expect(await world.log(quiet.id, 'updates')).toEqual([]);
    await world.source.query('truncate items');
    expect((await world.execute(sync)).counts).toMatchObject({ total: 0, delete: 5 });
    expect(await things()).toEqual([]);
  });

  test('without an identity rows are told apart by their content and how often it is there', async () => {
    await target.query(`drop table things; create table things (${columns('')})`);
    await world.source.query(`insert into items values (1, 'i1'), (null, null)`);
    await target.query(
      `insert into things values (1, 'i1', 'first'), (1, 'i1', 'second'), (1, 'i1', 'third'), (8, 'other', 'x')`,
    );
    const sync = await replacing({ mode: 'snapshot' });
    const first = await world.execute(sync);
    expect(first.outcome).toEqual({ status: 'completed' });
    expect(first.counts).toMatchObject({ total: 7, insert: 5, delete: 2 });
    const pairs = (await things()).map(({ id, name }) => [id, name]);
    expect(pairs.sort(([one], [other]) => Number(one ?? 9) - Number(other ?? 9))).toEqual([
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
    await target.query(`insert into things (id, name) values (2, 'mine'), (3, 'mine'), (4, 'old')`);
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
      expect.stringMatching(/check|constraint/i),
      'the identity is NULL',
    ]);
  });

  test('what only the whole shows ends the execution, and the target is as it was', async () => {
    await target.query(`insert into things (id, name) values (9, 'used');
      create table uses (thing int, foreign key (thing) references things (id)); insert into uses values (9)`);
    const before = await things();
    const sync = await replacing(byId);
    const failed = await world.execute(sync);
    expect(failed.outcome).toMatchObject({
      status: 'failed',
      errors: [expect.stringMatching(/as it was: .*foreign key/i)],
    });
    expect(failed.counts.insert ?? 0).toBe(0);
    expect(await things()).toEqual(before);
    expect(await world.log(failed.id, 'inserts')).toEqual([]);
    await target.query('drop table uses');
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 5, delete: 1 });
  });

  test('a record that only the last step refuses is an error, too, and the others take their place', async () => {
    await target.query(`drop table things; create table things (
        id int primary key, name varchar(40), note varchar(40) default 'none', check (name <> note));
      insert into things values (2, 'old', 'mine'), (5, 'old', 'bad'), (9, 'old', 'mine')`);
    await world.source.query(`update items set name = 'none' where id in (1, 3);
      update items set name = 'bad' where id = 5;
      insert into items select n, 'i' || n from generate_series(10, 300) n`);
    const sync = await replacing(byId);
    const refused = [thing(5, 'old', 'bad')];
    for (const counts of [
      { total: 296, insert: 292, update: 1, delete: 1, error: 3 },
      { total: 296, error: 3 },
    ]) {
      const { id, outcome, counts: counted } = await world.execute(sync);
      expect(outcome).toEqual({ status: 'completed' });
      expect(counted).toEqual(counts);
      const errors = (await world.log(id, 'errors')) as { identity: { id: string }; reason: string }[];
      expect(errors.map(({ identity }) => identity.id).toSorted()).toEqual(['1', '3', '5']);
      for (const { reason } of errors) expect(reason).toMatch(/check|constraint/i);
      expect(await world.log(id, 'inserts')).toHaveLength(counted.insert ?? 0);
    }
    expect(await things()).toHaveLength(294);
    expect(await target.query('select * from things where id < 9 order by id')).toEqual([
      thing(2, 'i2', 'mine'),
      thing(4),
      ...refused,
    ]);
    await world.source.query(`update items set name = 'i' || id`);
    expect((await world.execute(sync)).counts).toMatchObject({ insert: 2, update: 1 });
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
    await target.query(`insert into things (id, name) values (9, 'old'), (2, 'old')`);
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

  return {
    get world() {
      return world;
    },
    get target() {
      return target;
    },
    things,
    replacing,
  };
}
