import { afterAll, beforeAll, expect, test } from 'vitest';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
import { createConnection } from '../connections/index.ts';
import { updateBulkSchema } from './schemas.ts';

let harness: BulkHarness;
let server: TestS3;
beforeAll(async () => {
  harness = await bulkHarness();
  server = await startS3();
});
afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await server.close();
});

test('a table goes to S3 in ranges, is merged there by what changed, and comes back equal', async () => {
  const { organizationId, actor } = harness;
  const connection = { name: 'lake', type: 's3', configuration: { ...server.configuration }, validate: true };
  const { id: lake } = await createConnection(harness, organizationId, actor, connection);
  const syncOf = bulkSyncs(harness);
  const there = await syncOf(
    `create table items (id int primary key, note text, price numeric(10,2), changed timestamptz);
     insert into items select i, 'n' || i, i / 7.0, timestamptz '2024-01-01' + i * interval '1 s'
     from generate_series(1, 12000) i; analyze items`,
    {
      destination_connection_id: lake,
      destination_configuration: { subfolder: 'shop', format: 'parquet' },
      schemas: [{ id: 'public.items', tracking_field: 'changed' }],
    },
  );
  const first = await there.run();
  expect([first.outcome, first.schemas]).toMatchObject([{ status: 'completed' }, [{ record_count: 12_000 }]]);
  expect((await server.keys('shop/items/data/')).length).toBeGreaterThan(1);
  await there.source.query(`insert into items values (0, 'new', 1.5, '2025-01-01');
    update items set note = null, changed = '2025-01-02' where id = 7`);
  const second = await there.run();
  expect(second.outcome).toEqual({ status: 'completed' });
  expect(second.schemas[0]?.record_count).toBeLessThan(1000);

  await harness.refresh(lake);
  const back = await syncOf('select 1', { source_connection_id: lake });
  const third = await back.run();
  expect([third.outcome, third.schemas]).toMatchObject([{ status: 'completed' }, [{ record_count: 12_001 }]]);
  expect(await contentHash(back.destination, 'copy.items')).toEqual(await contentHash(there.source, 'items'));
});

test('partition_key lays the files out by a field, and a row whose value changes moves', async () => {
  const { organizationId, actor } = harness;
  const configuration = { ...server.configuration, s3_bucket_name: `${server.bucket}/parted` };
  const connection = { name: 'parted', type: 's3', configuration, validate: true };
  const { id: lake } = await createConnection(harness, organizationId, actor, connection);
  const schema = { id: 'public.people', partition_key: 'country' };
  const { source, sync, run } = await bulkSyncs(harness)(
    `create table people (id int primary key, country text);
     insert into people values (1, 'de'), (2, 'fr'), (3, null), (4, 'de')`,
    { destination_connection_id: lake, destination_configuration: {}, schemas: [schema] },
  );
  const rows = async () => {
    const manifest = JSON.parse(`${await server.get('parted/public/people/_manifest.json')}`);
    const files: { path: string; rows: number }[] = manifest.files;
    const folders = files.map(({ path, rows: count }) => [path.split('/')[2], count] as const);
    return Object.fromEntries(
      [...Map.groupBy(folders, ([folder]) => folder)].map(([folder, list]) => [
        folder,
        list.reduce((total, [, count]) => total + count, 0),
      ]),
    );
  };
  expect((await run()).outcome).toEqual({ status: 'completed' });
  const nowhere = 'country=__HIVE_DEFAULT_PARTITION__';
  expect(await rows()).toEqual({ 'country=de': 2, 'country=fr': 1, [nowhere]: 1 });
  await source.query(`update people set country = 'fr' where id = 4`);
  expect((await run()).outcome).toEqual({ status: 'completed' });
  expect(await rows()).toEqual({ 'country=de': 1, 'country=fr': 2, [nowhere]: 1 });
  await updateBulkSchema(harness.db, organizationId, sync.id, 'public.people', {
    ...schema,
    fields: ['id'],
  });
  expect((await run()).outcome.errors).toEqual([
    'public.people: partition_key: country is not among the fields of public.people that are read',
  ]);
});
