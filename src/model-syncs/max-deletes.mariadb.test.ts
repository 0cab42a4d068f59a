import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';

function deleteCases(open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    await world.source.query(`create table people (id int primary key, name text);
      insert into people select n, 'p' || n from generate_series(1, 200) n`);
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });
  const count = async () => (await target.query('select id from people')).length;

  test('more than half of a target, or than max_deletes, is not removed unless it is asked for', async () => {
    await target.query('create table people (id int primary key, name varchar(9))');
    const model = await world.createModel({ table: 'public.people' });
    const settings = (more: object) => ({
      model,
      connectionId: target.connectionId,
      object: target.object('people'),
      identity: ['id', 'id'] as [string, string],
      fields: ['name'],
      mode: 'replace' as const,
      ...more,
    });
    const sync = await world.createSync(settings({}));
    await world.execute(sync);
    await world.source.query('delete from people where id > 90');
    expect((await world.execute(sync, { test: true })).counts).toMatchObject({ delete: 110 });
    expect((await world.execute(sync)).outcome).toMatchObject({
      status: 'failed',
      errors: [expect.stringContaining('max_deletes of the sync allows 100')],
    });
    expect(await count()).toBe(200);
    const more = await world.updateSync(sync.id, settings({ max_deletes: '55%' }));
    expect((await world.execute(more)).counts).toMatchObject({ delete: 110 });
    expect(await count()).toBe(90);

    await target.query(`insert into people select id + 1000, name from people where id <= 60`);
    const remove = (max_deletes?: number) =>
      settings({ mode: 'remove' as const, ...(max_deletes === undefined ? {} : { max_deletes }) });
    const removal = await world.createSync(remove());
    expect((await world.execute(removal)).outcome.status).toBe('failed');
    expect(await count()).toBe(150);
    const allowed = await world.updateSync(removal.id, remove(90));
    expect((await world.execute(allowed)).counts).toMatchObject({ delete: 90 });
    expect(await count()).toBe(60);
  });
}

describe('PostgreSQL', () => deleteCases(postgresqlTarget));
describeMariadb('MariaDB', () => deleteCases(mariadbTarget));
describe('DuckDB', () => deleteCases(duckdbTarget));
