import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../test/support/bulk-survival.ts';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import { testDatabase } from '../../test/support/database.ts';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { createBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

let harness: BulkHarness;
beforeAll(async () => {
  harness = await bulkHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

test('a table goes into a DuckDB file in ranges, then what is new is merged, and all of it comes back equal', async () => {
  const { organizationId, actor } = harness;
  const [source, back] = [await testDatabase(), await testDatabase()];
  await source.query(`create table t (id bigint primary key, a text, n numeric(20, 4), at timestamptz);
    insert into t select i, E'tab\\t ü ' || i, i / 7.0, timestamptz '2024-01-01 00:00:00.000001+00' + i * interval '1 hour' from generate_series(1, 12000) i;
    analyze t`);
  const file = await connectTo(harness, 'duckdb', { database: 'lake.duckdb' });
  const syncOf = async (from: string, to: string, schemas: { id: string; tracking_field?: string }[]) => {
    const body = {
      name: crypto.randomUUID(),
      source_connection_id: from,
      destination_connection_id: to,
      destination_configuration: { schema: 'copy', advanced: { hard_deletes: true } },
      disable_record_timestamps: true,
      schemas,
    };
    const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
    return async () => {
      const { id } = await startBulkSync(harness, organizationId, sync.id, {});
      const { outcome, schemas: done } = await harness.run(id);
      expect(outcome).toEqual({ status: 'completed' });
      return done[0]?.record_count;
    };
  };
  const into = await syncOf(await harness.connect(source), file, [{ id: 'public.t', tracking_field: 'at' }]);
  expect(await into()).toBe(12_000);
  await source.query(`update t set a = 'changed', at = at + interval '10 years' where id = 3`);
  expect(await into()).toBeLessThan(5);
  await harness.refresh(file);
  const out = await syncOf(file, await harness.connect(back), [{ id: 'copy.t' }]);
  expect(await out()).toBe(12_000);
  expect(await contentHash(back, 'copy.t')).toEqual(await contentHash(source, 't'));
});

test('a table of a file that was emptied and loaded again with older and newer rows is read in full', async () => {
  const { organizationId, duckdbDir } = harness;
  const from = await connectTo(harness, 'duckdb', { database: 'emptied.duckdb' });
  const file = `${duckdbDir}/${organizationId}/emptied.duckdb`;
  const rows = (first: number, last: number) =>
    `insert into t select i, 'ü' || i, timestamptz '2024-01-01 00:00:00+00' + interval (i) day from range(${first}, ${last} + 1) r(i)`;
  await mkdir(path.dirname(file), { recursive: true });
  await queryDuckDB(
    file,
    `create table t (id bigint, a text, "at" timestamptz, primary key (a, id)); ${rows(1, 100)}`,
  );
  const { destination, run } = await bulkSyncs(harness)('select 1', {
    source_connection_id: from,
    disable_record_timestamps: false,
    schemas: [{ id: 'main.t', tracking_field: 'at' }],
  });
  expect((await run()).schemas).toMatchObject([{ record_count: 100 }]);
  await queryDuckDB(file, `delete from t where id > 93; ${rows(201, 210)}`);
  expect((await run()).schemas).toMatchObject([{ record_count: 10 }]);
  await queryDuckDB(file, `truncate t; ${rows(50, 60)}; ${rows(301, 302)}`);
  const { execution, schemas } = await run();
  expect(schemas).toMatchObject([{ status: 'completed', record_count: 13 }]);
  const { entries } = await harness.console(execution.id);
  expect(entries.map(({ message }) => message).join()).toMatch(
    /none of its newest rows of then is there any more/,
  );
  expect(await destination.query('select count(*)::int as n from copy.t')).toEqual([{ n: 13 }]);
});
