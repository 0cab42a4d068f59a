/** What a user reads in the console log of an execution. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { readConsole } from '../executions/index.ts';

let world: ModelSyncs;

beforeAll(async () => {
  world = await startModelSyncs();
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.source.query(`drop table if exists customers; create table customers (id int, email text);
    insert into customers select n, 'c' || n from generate_series(1, 6) n; insert into customers values (null, 'x')`);
  await world.target.query(`drop table if exists contacts;
    create table contacts (id int primary key, email text check (email <> 'c4'));
    insert into contacts values (1, 'old'), (9, 'theirs')`);
});

const createSync = async (mode: 'updateOrCreate' | 'replace' = 'updateOrCreate') =>
  world.createSync({
    model: await world.createModel({ table: 'public.customers' }, 'id'),
    mode,
    identity: ['id', 'id'],
    fields: ['email'],
  });

async function story(id: string): Promise<string[]> {
  const { entries } = await readConsole(world.db, id, {});
  return entries.map(({ level, message }) => `${level}: ${message}`);
}

test('from the start to what came of it', async () => {
  const sync = await createSync();
  expect(await story((await world.execute(sync)).id)).toEqual([
    'info: Started by request: model model to public.contacts, mode updateOrCreate',
    'info: Read 7 records of the model: 6 new, 0 changed or sent again, 0 left as they are, 1 that cannot be sent',
    'info: Sending 6 records',
    'warn: Completed: 4 inserted, 1 updated, 2 failed (see the errors log)',
  ]);
  await world.source.query(`delete from customers where id is null or id = 4`);
  expect(await story((await world.execute(sync)).id)).toEqual([
    expect.stringContaining('Started by request'),
    'info: Read 5 records of the model: 0 new, 0 changed or sent again, 5 left as they are',
    'info: Completed: nothing to send',
  ]);
  const replacing = await createSync('replace');
  expect((await story((await world.execute(replacing)).id)).slice(-2)).toEqual([
    'info: Replacing the target with 5 records',
    'info: Completed: 1 deleted',
  ]);
  const [first, , last] = await story((await world.execute(sync, { test: true, resync: true })).id);
  expect([first, last]).toEqual([
    expect.stringMatching(/mode updateOrCreate, a dry run, as if nothing had been sent before/),
    'info: Dry run: nothing was sent',
  ]);
});

test('a target or a source that is away, another worker, a cancel', async () => {
  const sync = await createSync();
  await world.target.query('alter table contacts rename to away');
  const failed = await story((await world.execute(sync)).id);
  expect(failed.at(-1)).toMatch(/^error: Failed: .*public\.contacts/);
  await world.target.query('alter table away rename to contacts');

  const id = await world.start(sync);
  const killed = await world.run(sync, id, (run) => ({
    ...run,
    commit: (progress, work) =>
      progress.counts?.insert ? Promise.reject(new Error('killed')) : run.commit(progress, work),
  }));
  expect(killed.outcome.status).toBe('interrupted');
  await world.run(sync, id);
  const taken = await story(id);
  expect(taken).toContain('info: Another worker goes on with what is left to send');
  expect(taken.at(-1)).toBe('warn: Completed: 4 inserted, 1 updated, 2 failed (see the errors log)');
});
