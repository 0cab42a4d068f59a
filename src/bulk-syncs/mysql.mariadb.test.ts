import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../test/support/bulk-survival.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { type TestDatabase, testDatabase } from '../../test/support/database.ts';
import { describeMariadb, type MariadbDatabase, mariadbDatabase } from '../../test/support/mariadb.ts';
import { createBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

describeMariadb('bulk syncs with MariaDB', () => {
  let harness: BulkHarness;
  beforeAll(async () => {
    harness = await bulkHarness();
  });
  afterAll(() => harness[Symbol.asyncDispose]());

  const connect = (end: TestDatabase | MariadbDatabase) =>
    'configuration' in end ? connectTo(harness, 'mysql', end.configuration) : harness.connect(end);

  /** Copies `t` by its tracking field into the schema `schema`. */
  const syncOf = async (
    source: TestDatabase | MariadbDatabase,
    destination: TestDatabase | MariadbDatabase,
    schemaId: string,
    schema: string,
  ) => {
    const { organizationId, actor } = harness;
    const body = {
      name: crypto.randomUUID(),
      source_connection_id: await connect(source),
      destination_connection_id: await connect(destination),
      destination_configuration: { schema },
      schemas: [{ id: schemaId, tracking_field: 'at' }],
    };
    const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
    return async () => {
      const { id } = await startBulkSync(harness, organizationId, sync.id, {});
      const { outcome, schemas } = await harness.run(id);
      expect(outcome).toEqual({ status: 'completed' });
      const lines = (await harness.console(id)).entries.map(({ message }) => message);
      return { rows: Number(schemas[0]?.record_count), lines };
    };
  };

  const all = 'select id, a, cast(at as char) as at from';

  test('from it: a first full read, then only what is new; zero dates are told', async () => {
    const [source, destination] = [await mariadbDatabase(), await testDatabase()];
    await source.query(`set time_zone = '+00:00'; set sql_mode = 'ALLOW_INVALID_DATES';
      create table t (id int primary key, a varchar(20), at datetime(6), d date);
      insert into t select seq, concat('ä', seq), '2024-01-01' + interval seq hour, '0000-00-00' from seq_1_to_100`);
    const run = await syncOf(source, destination, `${source.name}.t`, 'copy');
    const { rows, lines } = await run();
    expect(rows).toBe(100);
    expect(lines).toContain('d: 100 values, zero_date_nulled');
    await source.query(
      `insert into t values (101, 'tie', '2024-01-05 04:00:00', null), (102, 'new', '2024-02-01', null)`,
    );
    // With the boundary, and those of the two hours that come twice when clocks are set back.
    expect((await run()).rows).toBe(5);
    const copy = await destination.query(
      `select id, a, to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') as at from copy.t order by id`,
    );
    expect(copy).toEqual(await source.query(`${all} t order by id`));
  });

  test('to it: merged by key with our own columns, the position beside the rows', async () => {
    const [source, destination] = [await testDatabase(), await mariadbDatabase()];
    await source.query(`create table t (id int primary key, a text, at timestamptz);
      insert into t select i, 'ä' || i, timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour' from generate_series(1, 100) i`);
    const run = await syncOf(source, destination, 'public.t', destination.name);
    expect((await run()).rows).toBe(100);
    await source.query(
      `update t set a = 'other', at = '2024-02-01 00:00:00.000001+00' where id = 1; insert into t values (101, 'new', null)`,
    );
    expect((await run()).rows).toBe(3);
    const copy = await destination.query<{ at: string | null }>(
      `${all} t where _tidemark_deleted_at is null order by id`,
    );
    const texts = await source.query(
      `select id, a, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at from t order by id`,
    );
    expect(copy).toEqual(texts);
  });

  test('from it: what was truncated and loaded again with older and newer rows is read in full', async () => {
    const [source, destination] = [await mariadbDatabase(), await testDatabase()];
    const rows = (from: number, to: number) =>
      `insert into t select seq, concat('ä', seq), '2024-01-01' + interval seq day from seq_${from}_to_${to}`;
    await source.query(
      `create table t (id decimal(20,0), a varchar(20), at timestamp null, primary key (a, id)); ${rows(1, 100)}`,
    );
    const run = await syncOf(source, destination, `${source.name}.t`, 'copy');
    expect((await run()).rows).toBe(100);
    // Some of the newest rows are deleted or changed, and it goes on.
    await source.query(
      `delete from t where id > 93; update t set at = '2024-06-01' where id = 93; ${rows(201, 210)}`,
    );
    expect((await run()).rows).toBe(11);
    await source.query(`truncate t; ${rows(50, 60)}; ${rows(301, 302)}`);
    const { rows: read, lines } = await run();
    expect(read).toBe(13);
    expect(lines.join()).toMatch(/none of its newest rows of then is there any more/);
    const live = `select id::int as id from copy.t where _tidemark_deleted_at is null order by 1`;
    expect((await destination.query<{ id: number }>(live)).map(({ id }) => id)).toEqual([
      ...[50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60],
      ...[301, 302],
    ]);
  });
});
