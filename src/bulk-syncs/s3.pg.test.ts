import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTo } from '../../test/support/bulk-survival.ts';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
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

/** A connection to a folder of the bucket. */
const connectIn = (folder: string) =>
  connectTo(harness, 's3', { ...server.configuration, s3_bucket_name: `${server.bucket}/${folder}` });

test('a table goes to S3 in ranges, is merged there by what changed, and comes back equal', async () => {
  const lake = await connectTo(harness, 's3', { ...server.configuration });
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
  const lake = await connectIn('parted');
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
  await updateBulkSchema(harness.db, harness.organizationId, sync.id, 'public.people', {
    ...schema,
    fields: ['id'],
  });
  expect((await run()).outcome.errors).toEqual([
    'public.people: partition_key: country is not among the fields of public.people that are read',
  ]);
});

test('files that no load has written are touched by no load, and overwrite removes those of a table alone', async () => {
  const lake = await connectIn('strange');
  const syncOf = bulkSyncs(harness);
  const folder = 'strange/public/people/';
  const tableFiles = ['old.csv', 'part-0001.parquet', 'country=de/part-1.snappy.parquet'];
  const others = [
    ...[
      'README.md',
      'LICENSE.txt',
      '_SUCCESS',
      'data/mine.parquet',
      'other/mine.csv',
      '_lists/mine.json',
      'latest/mine.csv',
    ],
    ...['_delta_log/0.json', `data/${crypto.randomUUID()}/mine.csv`, 'archive/2023/part-0.csv'],
  ];
  const strange = [...tableFiles, ...others].toSorted();
  const there = async () => {
    const keys = (await server.keys(folder)).map((key) => key.slice(folder.length));
    return keys.filter((key) => strange.includes(key)).toSorted();
  };
  const lay = async () => {
    for (const name of strange) await server.put(`${folder}${name}`, 'mine');
  };
  const to = (more: object) =>
    syncOf(`create table people (id int primary key, name text); insert into people values (1, 'Ann')`, {
      destination_connection_id: lake,
      destination_configuration: { format: 'csv', latest: true, ...more },
    });
  await lay();
  const refused = (await (await to({})).run()).outcome;
  expect(refused.status).toBe('failed');
  expect(refused.errors?.join()).toMatch(/people exists in the destination.*is in its folder/);
  expect(await there()).toEqual(strange);

  const adopting = await to({ adopt: true });
  for (const options of [{}, { resync_mode: 'rebuild' as const }]) {
    expect((await adopting.run(options)).outcome).toEqual({ status: 'completed' });
    expect(await there()).toEqual(strange);
  }
  for (const key of await server.keys(folder)) await server.remove(key);

  await lay();
  const kept = await to({ overwrite: true });
  server.behave(({ method }) => (method === 'DELETE' ? 503 : undefined));
  const { execution } = await kept.run();
  server.behave(() => undefined);
  expect(await there()).toEqual(strange);
  // The new rows are live, but a reader of the folder has the old ones, too.
  const { entries } = await harness.console(execution.id);
  expect(entries.map(({ message }) => message).join()).toMatch(/Completed: .*is in its folder still/);
  for (const key of await server.keys(folder)) await server.remove(key);

  await lay();
  const overwriting = await to({ overwrite: true });
  const { outcome, schemas } = await overwriting.run();
  expect(outcome).toEqual({ status: 'completed' });
  expect(await there()).toEqual(others.toSorted());
  expect(schemas[0]).toMatchObject({ record_count: 1 });
  // From then on the table is the sync's: what comes later is not removed either.
  await server.put(`${folder}old.csv`, 'mine');
  expect((await overwriting.run({ resync_mode: 'rebuild' })).outcome).toEqual({ status: 'completed' });
  expect(await there()).toEqual([...others, 'old.csv'].toSorted());
});

test('new files are found beside one that cannot be read, which fails alone', async () => {
  const lake = await connectIn('found');
  await server.put('found/first.csv', 'id,name\n1,Ann\n');
  const { destination, run } = await bulkSyncs(harness)('select 1', {
    source_connection_id: lake,
    automatically_add_new_objects: 'all',
  });
  expect((await run()).outcome).toEqual({ status: 'completed' });
  await server.put('found/bad.parquet', 'this is no Parquet file');
  await server.put('found/second.csv', 'id,name\n2,Bob\n');
  for (let execution = 0; execution < 2; execution++) {
    const { outcome, schemas } = await run();
    const states = Object.fromEntries(schemas.map(({ schema_id, status }) => [schema_id, status]));
    expect(states).toMatchObject({ first: 'completed', second: 'completed' });
    expect(outcome).toMatchObject({ status: 'errors', errors: [expect.stringContaining('bad.parquet')] });
  }
  expect(await destination.query('select id::int, name from copy.second')).toEqual([{ id: 2, name: 'Bob' }]);
});
