import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBulkSync, startBulkSync } from '../../src/bulk-syncs/index.ts';
import { type BulkHarness, bulkHarness } from '../support/bulk-syncs.ts';
import { contentHash } from '../support/content-hash.ts';
import { testDatabase } from '../support/database.ts';

let harness: BulkHarness;
beforeAll(async () => {
  harness = await bulkHarness();
});
afterAll(() => harness[Symbol.asyncDispose]());

test.each([
  ['shop', 20],
  ['rentals', 19],
  ['racing', 18],
])('the %s database arrives whole, every table and view, by content', async (sample, objects) => {
  const [source, destination] = [await testDatabase(), await testDatabase()];
  await source.query(await readFile(path.join(import.meta.dirname, `../samples/${sample}.sql`), 'utf8'));
  const { organizationId, actor } = harness;
  const sync = await createBulkSync(
    harness,
    organizationId,
    actor,
    {
      name: sample,
      source_connection_id: await harness.connect(source),
      destination_connection_id: await harness.connect(destination),
      destination_configuration: { schema: 'copy', mirror_schemas: true },
      normalize_names: 'disabled',
    },
    'either',
  );
  const run = async () => harness.run((await startBulkSync(harness, organizationId, sync.id, {})).id);
  const parity = async (schemas: { schema_id: string }[]) => {
    const [relations] = await source.query<{ names: string[]; ids: string[] }>(`
      select array_agg(format('%I.%I', n.nspname, c.relname) order by n.nspname || '.' || c.relname) as names,
        array_agg(n.nspname || '.' || c.relname order by n.nspname || '.' || c.relname) as ids
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition and n.nspname !~ '^(pg_|information_schema)'`);
    expect(schemas.map(({ schema_id }) => schema_id).sort()).toEqual(relations?.ids.toSorted());
    expect(schemas).toHaveLength(objects);
    for (const name of relations?.names ?? []) {
      expect(await contentHash(destination, name), name).toEqual(await contentHash(source, name));
    }
  };
  const first = await run();
  expect(first.outcome).toEqual({ status: 'completed' });
  await parity(first.schemas);
  // Nothing changed: nothing is written, and everything is still there.
  const second = await run();
  expect(second.outcome).toEqual({ status: 'completed' });
  await parity(second.schemas);
});
