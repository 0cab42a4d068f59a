import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { createBulkSync, deleteBulkSync, updateBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const tables = `create table keyed (id int primary key, name text); insert into keyed values (1, 'Ann'), (2, 'Bob');
  create table bare (name text); insert into bare values ('Ann');`;
const strangers = `create schema copy;
  create table copy.keyed (id int primary key, name text, note text); insert into copy.keyed values (1, 'mine', 'kept'), (9, 'mine', null);
  create table copy.bare (name text, note text); insert into copy.bare values ('mine', 'kept');`;
const rows = async (database: TestDatabase) => ({
  keyed: await database.query('select * from copy.keyed order by id'),
  bare: await database.query('select * from copy.bare'),
});

test('what Tidemark did not make is touched by no mode, and the error says how to have it', async () => {
  for (const mode of ['replicate', 'snapshot'] as const) {
    const { destination, run } = await syncOf(tables, { mode });
    await destination.query(strangers);
    const before = await rows(destination);
    for (const options of [{}, { resync_mode: 'rebuild' as const }]) {
      const { outcome } = await run(options);
      expect(outcome.status).toBe('failed');
      expect(outcome.errors).toHaveLength(2);
      for (const error of outcome.errors ?? []) {
        expect(error).toMatch(/copy\.(keyed|bare) exists.*destination_configuration\.adopt.*\.overwrite/s);
      }
      expect(await rows(destination)).toEqual(before);
    }
  }
});

test('views, partitioned tables and others of the name are told as what they are', async () => {
  const { destination, run } = await syncOf(tables);
  await destination.query(`create schema copy; create view copy.keyed as select 1 as id;
    create table copy.bare (name text) partition by list (name)`);
  const { outcome } = await run();
  expect(outcome.errors?.join(' ')).toMatch(/a partitioned table of somebody.*a view of somebody/s);
});

test('adopt keeps the table and writes into it, overwrite recreates it; both are for the first time only', async () => {
  const adopting = { schema: 'copy', adopt: true, advanced: { hard_deletes: true } };
  const { source, destination, run } = await syncOf(tables, { destination_configuration: adopting });
  await destination.query(strangers);
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await rows(destination)).toEqual({
    keyed: [
      { id: 1, name: 'Ann', note: 'kept' },
      { id: 2, name: 'Bob', note: null },
    ],
    bare: [{ name: 'Ann', note: null }],
  });
  await source.query(`update keyed set name = 'Zoë' where id = 1`);
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect((await rows(destination)).keyed[0]).toEqual({ id: 1, name: 'Zoë', note: 'kept' });

  const overwriting = { schema: 'copy', overwrite: true };
  const other = await syncOf(tables, { destination_configuration: overwriting });
  await other.destination.query(strangers);
  expect((await other.run()).outcome).toEqual({ status: 'completed' });
  expect(Object.keys((await rows(other.destination)).keyed[0] ?? {})).toEqual([
    'id',
    'name',
    '_tidemark_deleted_at',
  ]);
  expect((await rows(other.destination)).bare).toEqual([{ name: 'Ann' }]);
  const both = { ...other.body, destination_configuration: { ...overwriting, adopt: true } };
  await expect(
    updateBulkSync(harness, harness.organizationId, harness.actor, other.sync.id, both, 'either'),
  ).rejects.toThrow('destination_configuration.overwrite: excludes adopt');
});

test('a table of a sync that its owner recreated is a stranger; one that was restored with its state is not', async () => {
  const { source, destination, run } = await syncOf(tables);
  await run();
  await destination.query(`drop table copy.bare; create table copy.bare as select 'mine'::text as name`);
  expect((await run()).outcome).toMatchObject({
    status: 'errors',
    errors: [expect.stringContaining('copy.bare exists')],
  });
  // As pg_dump and pg_restore do: another table under the name, and the state that names it.
  await destination.query(`begin; create table copy.fresh as table copy.keyed; drop table copy.keyed cascade;
    alter table copy.fresh rename to keyed; alter table copy.keyed add primary key (id);
    update copy._tidemark_state set relation = 'copy.keyed'::regclass where name = 'keyed'; commit`);
  await source.query(`insert into keyed values (3, 'Cleo')`);
  await run();
  expect(await destination.query('select count(*)::int as n from copy.keyed')).toEqual([{ n: 3 }]);
});

test('the tables of a deleted sync are for the next one; those of an unknown one are strangers', async () => {
  const { destination, run, body, sync } = await syncOf(tables);
  await run();
  const { organizationId, actor } = harness;
  await deleteBulkSync({ ...harness, publicUrl: 'http://127.0.0.1' }, organizationId, sync.id);
  const next = await createBulkSync(harness, organizationId, actor, body, 'either');
  const again = async () =>
    (await harness.run((await startBulkSync(harness, organizationId, next.id, {})).id)).outcome;
  expect(await again()).toEqual({ status: 'completed' });
  await destination.query(`update copy._tidemark_state
    set value = jsonb_set(value, '{position,sync}', '"0198a5a0-0000-7000-8000-00000000000f"') where entry = 'position'`);
  expect((await again()).errors?.[0]).toContain('a bulk sync that is not known here writes it');
});
