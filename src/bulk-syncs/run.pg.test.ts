import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { bulkWorker } from '../../test/support/bulk-worker.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import type { TestDatabase } from '../../test/support/database.ts';
import { updateBulkSync } from './crud.ts';
import { selectedSchemas } from './selected-schemas.ts';

let harness: BulkHarness;
let syncOf: ReturnType<typeof bulkSyncs>;
beforeAll(async () => {
  harness = await bulkHarness();
  syncOf = bulkSyncs(harness);
});
afterAll(() => harness[Symbol.asyncDispose]());

/** A view that stops at its 30,000th record until the returned function is called. */
async function gate(source: TestDatabase): Promise<() => Promise<unknown>> {
  await source.query(`
    create view slow as select i as id, repeat('x', 200) as filler,
      case when i = 30000 then pg_advisory_xact_lock_shared(42)::text end as gate
    from generate_series(1, 40000) i`);
  const client = new pg.Client(source.url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  await client.query('select pg_advisory_lock(42)');
  return () => client.query('select pg_advisory_unlock(42)');
}

const tables = async (database: TestDatabase) =>
  (
    await database.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' and c.relname <> '_tidemark_state' order by 1`,
    )
  ).map(({ name }) => name);

test('copies every schema, and a second run replaces what it left', async () => {
  const { source, destination, run } = await syncOf(`
    create table "Order Items" (id int primary key, "unitPrice" numeric(10, 4), at timestamptz);
    insert into "Order Items" select i, i / 7.0, '2024-01-01'::timestamptz + i * interval '1.000001 s' from generate_series(1, 1000) i;
    create schema "crm 💥"; create table "crm 💥"."Kontäkte" (name text); insert into "crm 💥"."Kontäkte" values ('a"b'), (null);
    create table nothing (id int)`);
  const { outcome, schemas, execution } = await run();
  expect(outcome).toEqual({ status: 'completed' });
  expect(schemas).toMatchObject([
    { schema_id: 'crm 💥.Kontäkte', output_name: 'kontäkte', status: 'completed', record_count: 2 },
    { schema_id: 'public.Order Items', output_name: 'order_items', status: 'completed', record_count: 1000 },
    { schema_id: 'public.nothing', output_name: 'nothing', status: 'completed', record_count: 0 },
  ]);
  expect(schemas[1]?.byte_count).toBeGreaterThan(20_000);
  expect(execution.counts).toEqual({ records: 1002 });
  const lines = (await harness.console(execution.id)).entries.map(({ message }) => message);
  expect(lines[0]).toBe('Schemas to do: 3');
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^Completed: 1000 records read into copy\.order_items \(1000 inserted\) after [\d.]+ s$/,
    ),
  );
  const parity = async () => {
    expect(await contentHash(destination, 'copy.order_items')).toEqual(
      await contentHash(source, '"Order Items"'),
    );
    expect(await contentHash(destination, 'copy."kontäkte"')).toEqual(
      await contentHash(source, '"crm 💥"."Kontäkte"'),
    );
  };
  await parity();
  const columns = await destination.query(
    `select attname from pg_attribute where attrelid = 'copy.order_items'::regclass and attnum > 0 order by attnum`,
  );
  expect(columns.map(({ attname }) => attname)).toEqual(['id', 'unit_price', 'at']);

  await source.query(
    `delete from "Order Items" where id % 2 = 0; update "Order Items" set "unitPrice" = null where id = 1`,
  );
  expect((await run()).outcome).toEqual({ status: 'completed' });
  await parity();
  expect(await tables(destination)).toEqual(['copy."kontäkte"', 'copy.nothing', 'copy.order_items']);
});

test('a schema that fails stops no other', async () => {
  const { destination, sync, run } = await syncOf(`
    create table fine as select 1 as id; create table gone (id int);
    create view broken as select 1 / (3 - i) as x from generate_series(1, 5) i`);
  const { outcome, schemas, execution } = await run();
  const failed = {
    errors: ['public.broken: division by zero'],
    failures: [{ schema: 'public.broken', error: 'division by zero' }],
  };
  expect(outcome).toEqual({ status: 'errors', ...failed });
  expect(schemas).toMatchObject([
    { schema_id: 'public.broken', status: 'failed', status_message: 'division by zero', error_count: 1 },
    { schema_id: 'public.fine', status: 'completed', record_count: 1 },
    { schema_id: 'public.gone', status: 'completed' },
  ]);
  expect(execution.counts).toEqual({ records: 1, errors: 1 });
  expect(await tables(destination)).toEqual(['copy.fine', 'copy.gone']);
  const onlyBroken = await run({ schemas: ['public.broken'] });
  expect(onlyBroken.outcome).toEqual({ status: 'failed', ...failed });
  expect(onlyBroken.schemas).toHaveLength(1);
  expect(sync.mode).toBe('replicate');
});

test('progress shows while a table is under way; canceled, it leaves the live table as it was', async () => {
  const { source, destination, start, sync } = await syncOf(
    'create table slow (id int); create table quick as select 1 as id',
  );
  await harness.run((await start()).id);
  await source.query('drop table slow');
  const open = await gate(source);
  const execution = await start();
  const running = harness.begin(execution.id);
  const done = expect(running.outcome).rejects.toThrow('canceled');
  const progress = () => harness.schemas(execution.id);
  await expect.poll(progress).toMatchObject([
    { schema_id: 'public.quick', status: 'completed', record_count: 1 },
    {
      schema_id: 'public.slow',
      status: 'running',
      record_count: expect.toSatisfy((rows: number) => rows > 1000),
    },
  ]);
  running.stop('canceled');
  await done;
  expect(await destination.query('select count(*)::int as rows from copy.slow')).toEqual([{ rows: 0 }]);
  expect(await tables(destination)).toEqual(['copy.quick', 'copy.slow']);

  // Another worker goes on, with what was not done.
  const [before] = await destination.query(`select 'copy.quick'::regclass::oid as oid`);
  await open();
  expect((await harness.run(execution.id)).outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select count(*)::int as rows from copy.slow')).toEqual([{ rows: 40_000 }]);
  expect(await destination.query(`select 'copy.quick'::regclass::oid as oid`)).toEqual([before]);
  expect(sync.active).toBe(false);
});

test('a worker killed in the middle of a load leaves nothing behind, and the next one finishes', async () => {
  const { source, destination, start } = await syncOf(
    'create table slow (id int); insert into slow values (7)',
  );
  await harness.run((await start()).id);
  await source.query('drop table slow');
  const open = await gate(source);
  const execution = await start();
  const child = await bulkWorker(harness).begin(execution.id);
  await expect
    .poll(() => harness.schemas(execution.id))
    .toMatchObject([{ status: 'running', record_count: expect.toSatisfy((rows: number) => rows > 1000) }]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect.poll(() => tables(destination)).toEqual(['copy.slow']);
  expect(await destination.query('select id from copy.slow')).toEqual([{ id: 7 }]);
  await open();
  expect((await harness.run(execution.id)).outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select count(*)::int as rows from copy.slow')).toEqual([{ rows: 40_000 }]);
  expect(await tables(destination)).toEqual(['copy.slow']);
});

test('a lost connection is tried again', async () => {
  const { source, destination, start } = await syncOf('create table slow (id int)');
  await source.query('drop table slow');
  const open = await gate(source);
  const execution = await start();
  const running = harness.begin(execution.id);
  const read = `select pid from pg_stat_activity where application_name = 'tidemark bulk read' and wait_event = 'advisory' and datname = current_database()`;
  await expect.poll(() => source.query(read)).toHaveLength(1);
  await source.query(`select pg_terminate_backend(pid) from (${read}) r`);
  await open();
  expect(await running.outcome).toEqual({ status: 'completed' });
  expect(await destination.query('select count(*)::int as rows from copy.slow')).toEqual([{ rows: 40_000 }]);
  const lines = (await harness.console(execution.id)).entries.map(({ message }) => message);
  expect(lines).toContainEqual(expect.stringMatching(/^Lost a connection .*; try 2 of 7 in 1 s$/));
});

test('a test run writes nothing', async () => {
  const { source, destination, run, sync } = await syncOf(
    'create table t as select 1 as id; create view bad as select 1 as id',
    { automatically_add_new_objects: 'all' },
  );
  await source.query('create table found_later as select 1 as id');
  const { outcome, schemas } = await run({ test: true });
  expect(outcome).toEqual({ status: 'completed' });
  expect(schemas).toMatchObject([
    { status: 'completed', record_count: 0 },
    { status: 'completed', record_count: 0 },
  ]);
  expect(await tables(destination)).toEqual([]);
  // Not to the sync, either.
  expect(await selectedSchemas(harness.db, sync.id)).toHaveLength(2);
});

test('only chosen fields travel, under the names chosen for them; later fields as the sync says', async () => {
  const { source, destination, run, sync, body } = await syncOf(
    `create table people (id int primary key, name text, ssn text); insert into people values (1, 'Ann', 'secret')`,
    { schemas: [{ id: 'public.people', fields: ['id', { id: 'name', user_output_name: 'Full Name' }] }] },
  );
  await run();
  expect(await destination.query('select * from copy.people')).toEqual([{ id: 1, 'Full Name': 'Ann' }]);
  await source.query('alter table people add later int default 5');
  await run();
  expect(await destination.query('select * from copy.people')).toEqual([
    { id: 1, 'Full Name': 'Ann', later: 5 },
  ]);
  const none = { ...body, automatically_add_new_fields: 'none' as const };
  await updateBulkSync(harness, harness.organizationId, harness.actor, sync.id, none, 'either');
  await source.query(`insert into people values (2, 'Bob', 'secret', 6)`);
  await run();
  expect(await destination.query('select * from copy.people order by id')).toEqual([
    { id: 1, 'Full Name': 'Ann', later: 5 },
    { id: 2, 'Full Name': 'Bob', later: null },
  ]);
});

test('new objects are taken when the sync says so', async () => {
  const { source, run, sync } = await syncOf('create table a as select 1 as id', {
    automatically_add_new_objects: 'all',
  });
  await source.query('create table b as select 2 as id');
  await harness.refresh(sync.sourceConnectionId);
  expect((await run()).schemas.map(({ schema_id }) => schema_id)).toEqual(['public.a', 'public.b']);
});

test('a sync between a database and itself refuses to replace its source', async () => {
  const { source, sync, body, run } = await syncOf('create table t as select 1 as id');
  const onto = {
    ...body,
    destination_connection_id: sync.sourceConnectionId,
    destination_configuration: { schema: 'public' },
  };
  await updateBulkSync(harness, harness.organizationId, harness.actor, sync.id, onto, 'either');
  expect((await run()).outcome.errors?.[0]).toContain('is the source table itself');
  expect(await source.query('select id from t')).toEqual([{ id: 1 }]);
});
