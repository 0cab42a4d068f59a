import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeMariadb } from '../../test/support/mariadb.ts';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import {
  duckdbTarget,
  type ModelTarget,
  mariadbTarget,
  postgresqlTarget,
} from '../../test/support/model-targets.ts';
import { readConsole } from '../executions/index.ts';

const made = 'create table people (id int primary key, name varchar(9))';

function lifeCases(
  open: (world: ModelSyncs) => ModelTarget | Promise<ModelTarget>,
  more: Record<string, string> = {},
): void {
  let world: ModelSyncs;
  let target: ModelTarget;
  beforeAll(async () => {
    world = await startModelSyncs();
    target = await open(world);
    await world.source.query(`create table people (id int primary key, name text);
      insert into people select n, 'p' || n from generate_series(1, 6) n`);
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });

  const losses = {
    emptied: 'truncate table people',
    'deleted from': 'delete from people',
    'made new': `drop table people; ${made}`,
    ...more,
  };

  test('whatever has become of it, all records are offered again, with a line that says so', async () => {
    await target.query(`drop table if exists people; ${made}`);
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.people' }),
      connectionId: target.connectionId,
      object: target.object('people'),
      identity: ['id', 'id'],
      fields: ['name'],
    });
    await world.execute(sync);
    for (const [loss, statements] of Object.entries(losses)) {
      expect((await world.execute(sync)).counts.total ?? 0, `before it is ${loss}`).toBe(0);
      await target.query(statements);
      expect((await world.execute(sync, { test: true })).counts, loss).toMatchObject({ total: 6 });
      const { id, counts } = await world.execute(sync);
      expect(counts, loss).toMatchObject({ total: 6 });
      const lines = (await readConsole(world.db, id, {})).entries.map(({ message }) => message);
      expect(lines.join('\n')).toContain('Every record is offered again');
      expect(await target.query('select id from people where id < 7')).toHaveLength(6);
    }
    // Rows that others delete are theirs to delete.
    await target.query('delete from people where id > 1');
    expect((await world.execute(sync)).counts.total ?? 0).toBe(0);
  });
}

describe('PostgreSQL', () =>
  lifeCases(postgresqlTarget, {
    'emptied and filled by others': `truncate people; insert into people values (7, 'theirs')`,
  }));
describeMariadb('MariaDB', () => lifeCases(mariadbTarget));
describe('DuckDB', () => lifeCases(duckdbTarget));

test('PostgreSQL: a target of mode append that is worked off is not filled again; one that is emptied at once is', async () => {
  const world = await startModelSyncs();
  try {
    await world.source.query(`create table people (id int, name text); insert into people values (1, 'a')`);
    await world.target.query('create table people (id int, name text)');
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.people' }, 'id'),
      object: 'public.people',
      mode: 'append',
      fields: ['id', 'name'],
    });
    for (const [statement, total] of [
      ['select 1', 1],
      ['delete from people', 0],
      ['truncate people', 1],
      ['vacuum full people', 0],
    ] as const) {
      await world.target.query(statement);
      const { counts } = await world.execute(sync);
      expect([statement, counts.total ?? 0]).toEqual([statement, total]);
    }
  } finally {
    await world[Symbol.asyncDispose]();
  }
});

test('an empty target of which skip_initial_backfill took note is not filled', async () => {
  const world = await startModelSyncs();
  try {
    await world.source.query(`create table people (id int, name text); insert into people values (1, 'a')`);
    await world.target.query('create table people (id int, name text)');
    const sync = await world.createSync({
      model: await world.createModel({ table: 'public.people' }),
      object: 'public.people',
      identity: ['id', 'id'],
      fields: ['name'],
      skip_initial_backfill: true,
    });
    for (const _ of [1, 2]) expect((await world.execute(sync)).counts.total ?? 0).toBe(0);
  } finally {
    await world[Symbol.asyncDispose]();
  }
});
