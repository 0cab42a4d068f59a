import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { createBulkSync, updateBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

const people = `create table people (id int primary key, name text); insert into people values (1, 'Ann'), (2, 'Bob')`;
const soft = {
  destination_configuration: { schema: 'copy' },
  disable_record_timestamps: false,
} as const;

test('what disappears from the source is marked, comes back unmarked, and only changed rows are written', async () => {
  const { source, destination, run } = await syncOf(people, soft);
  expect((await run()).outcome).toEqual({ status: 'completed' });
  const rows = () =>
    destination.query<{ id: number; synced: string; gone: boolean }>(
      `select id, name, _tidemark_synced_at::text as synced, _tidemark_deleted_at is not null as gone from copy.people order by id`,
    );
  const [ann, bob] = await rows();
  await source.query(`delete from people where id = 2`);
  await run();
  expect(await rows()).toEqual([ann, { ...bob, gone: true, synced: expect.any(String) }]);
  await run();
  await source.query(`insert into people values (2, 'Bob')`);
  await run();
  const [same, back] = await rows();
  expect(same).toEqual(ann);
  expect(back).toMatchObject({ id: 2, gone: false });
});

test('hard deletes remove what disappears', async () => {
  const { source, destination, run } = await syncOf(people);
  await run();
  await source.query(`delete from people where id = 2`);
  await run();
  expect(await destination.query('select * from copy.people')).toEqual([{ id: 1, name: 'Ann' }]);
});

test('the source may gain, lose and widen columns; what cannot be widened names the resync to run', async () => {
  const { source, destination, run } = await syncOf(people);
  await run();
  await source.query(`alter table people add age int default 7, alter id type bigint`);
  await run();
  expect(await destination.query('select * from copy.people where id = 1')).toEqual([
    { id: '1', name: 'Ann', age: 7 },
  ]);
  await source.query(`alter table people drop name; insert into people values (9007199254740993, 8)`);
  await run();
  expect(await destination.query('select * from copy.people order by id')).toEqual([
    { id: '1', name: 'Ann', age: 7 },
    { id: '2', name: 'Bob', age: 7 },
    { id: '9007199254740993', name: null, age: 8 },
  ]);
  await source.query(
    `alter table people alter age drop default, alter age type date using date '2024-02-29'`,
  );
  const refused = await run();
  expect(refused.outcome.status).toBe('failed');
  expect(refused.outcome.errors?.[0]).toMatch(/age.*integer.*date.*rebuild/s);
  expect(await destination.query('select age from copy.people where id = 1')).toEqual([{ age: 7 }]);
  expect((await run({ resync_mode: 'rebuild' })).outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select age::text from copy.people where id = 1')).toEqual([
    { age: '2024-02-29' },
  ]);
  // A recreated table has the columns of the source, and no other.
  expect(Object.keys((await destination.query('select * from copy.people limit 1'))[0] ?? {})).toEqual([
    'id',
    'age',
  ]);
});

test('a view on a table that is replaced survives where the table is truncated, and is named where it is not', async () => {
  const snapshot = { mode: 'snapshot', destination_configuration: { schema: 'copy' } } as const;
  const { source, destination, sync, body, run } = await syncOf(people, snapshot);
  await run();
  await destination.query(`create view names as select name from copy.people`);
  await source.query(`update people set name = 'Zoë' where id = 1`);
  const refused = await run();
  expect(refused.outcome.errors?.[0]).toMatch(/view public\.names.*truncate_existing/s);
  expect(await destination.query('select name from names')).toContainEqual({ name: 'Ann' });
  const truncating = {
    ...body,
    destination_configuration: { schema: 'copy', advanced: { truncate_existing: true } },
  };
  await updateBulkSync(harness, harness.organizationId, harness.actor, sync.id, truncating, 'either');
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select name from names order by 1')).toEqual([
    { name: 'Bob' },
    { name: 'Zoë' },
  ]);
});

test('two syncs write side by side, but not the same table', async () => {
  const { source, destination, sync, body, run } = await syncOf(people, soft);
  await run();
  const { organizationId, actor } = harness;
  const other = async (destination_configuration: object) => {
    const request = { ...body, name: 'other', destination_configuration };
    const created = await createBulkSync(harness, organizationId, actor, request, 'either');
    const execution = await startBulkSync(harness, organizationId, created.id, {});
    return (await harness.run(execution.id)).outcome;
  };
  const onto = await other({ schema: 'copy' });
  expect(onto.errors).toEqual([
    `public.people: copy.people is written by the bulk sync ${sync.name}: give this one another schema or a table prefix`,
  ]);
  await source.query(`update people set name = 'Zoë' where id = 1`);
  const both = await Promise.all([
    run().then(({ outcome }) => outcome),
    other({ schema: 'copy', advanced: { table_prefix: 'my_' } }),
  ]);
  expect(both).toEqual([{ status: 'completed' }, { status: 'completed' }]);
  const names = (table: string) => destination.query(`select id, name from copy.${table} order by id`);
  const expected = [
    { id: 1, name: 'Zoë' },
    { id: 2, name: 'Bob' },
  ];
  expect([await names('people'), await names('my_people')]).toEqual([expected, expected]);
});

test('a table keeps its name in the destination, whatever turns up in the source', async () => {
  const { source, destination, run } = await syncOf(
    `create schema z; create table z.people as select 1 as id`,
    {
      automatically_add_new_objects: 'all',
    },
  );
  await run();
  // Sorts first: it would take the name if names were given anew.
  await source.query(`create schema a; create table a.people as select 2 as id`);
  const { schemas } = await run();
  expect(schemas).toMatchObject([
    { schema_id: 'a.people', output_name: 'a_people' },
    { schema_id: 'z.people', output_name: 'people' },
  ]);
  expect(await destination.query('select id from copy.people')).toEqual([{ id: 1 }]);
});

test('objects that were left out stay out; only new ones are taken', async () => {
  const { source, run } = await syncOf(
    `create table chosen as select 1 as id; create table left_out as select 1 as id`,
    {
      automatically_add_new_objects: 'all',
      schemas: ['public.chosen'],
    },
  );
  await source.query('create table fresh as select 1 as id');
  expect((await run()).schemas.map(({ schema_id }) => schema_id)).toEqual(['public.chosen', 'public.fresh']);
});
