import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAgainAndAgain } from '../../test/support/bulk-kills.ts';
import { connectTo, survivalTimeout, survives } from '../../test/support/bulk-survival.ts';
import { bulkSyncs } from '../../test/support/bulk-sync-of.ts';
import { type BulkHarness, bulkHarness } from '../../test/support/bulk-syncs.ts';
import { contentHash } from '../../test/support/content-hash.ts';
import { testDatabase } from '../../test/support/database.ts';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { startS3, type TestS3 } from '../../test/support/s3.ts';
import { createBulkSync } from './crud.ts';
import { startBulkSync } from './start.ts';

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

const rows = 30_000;
const steps = [
  `create table big (id bigint primary key, payload text not null, amount numeric(20,4), at timestamptz);
   insert into big select i * 3, repeat(md5(i::text), 3), i / 7.0, timestamptz '2024-01-01' + i * interval '1 second 1 us'
   from generate_series(1, ${rows}) i; analyze big`,
  // Everywhere in it.
  `update big set payload = 'changed' where id % 11 = 0; delete from big where id % 13 = 0;
   insert into big select i * 3 + 1, 'new', 1, null from generate_series(1, ${rows}, 7) i; analyze big`,
];

/** A source in PostgreSQL, and the way back from files to compare. */
async function ends(files: string) {
  const source = await testDatabase();
  const syncOf = bulkSyncs(harness);
  let back: Awaited<ReturnType<typeof syncOf>> | undefined;
  return {
    from: await harness.connect(source),
    to: files,
    async change(round: number) {
      const [row] = await source.query<{ n: number }>(`${steps[round]}; select count(*)::int as n from big`);
      return row?.n ?? 0;
    },
    async compare() {
      await harness.refresh(files);
      back ??= await syncOf('select 1', { source_connection_id: files });
      expect((await back.run()).outcome).toEqual({ status: 'completed' });
      expect(await contentHash(back.destination, 'copy.big')).toEqual(await contentHash(source, 'big'));
    },
  };
}

test.each(['parquet', 'csv'])(
  'into %s files on S3: killed at any moment, no row is missing or there twice, no object is left over',
  async (format) => {
    const bucket = `${server.bucket}/${format}`;
    const both = await ends(
      await connectTo(harness, 's3', { ...server.configuration, s3_bucket_name: bucket }),
    );
    const folder = `${format}/shop/big/`;
    await survives(harness, {
      ...both,
      configuration: { subfolder: 'shop', format },
      async seen() {
        const keys = await server.keys(`${folder}_loads/`);
        return keys.filter((key) => !key.endsWith('/claim')).length;
      },
      async check() {
        const manifest = JSON.parse(`${await server.get(`${folder}_manifest.json`)}`);
        const files: string[] = manifest.files.map((file: { path: string }) => `${folder}${file.path}`);
        expect(await server.keys(folder)).toEqual([`${folder}_manifest.json`, ...files].sort());
        await both.compare();
      },
    });
  },
  survivalTimeout,
);

test(
  'into a DuckDB file: killed at any moment, no row is missing or there twice, nothing staged is left over',
  async () => {
    const both = await ends(await connectTo(harness, 'duckdb', { database: 'kept.duckdb' }));
    const folder = path.join(harness.duckdbDir, harness.organizationId);
    const stages = path.join(folder, '.tidemark');
    const staged = async () => {
      const names = await readdir(stages, { recursive: true }).catch(() => []);
      return names.map((name) => path.join(stages, name));
    };
    await survives(harness, {
      ...both,
      configuration: { schema: 'copy' },
      // Bytes: who asks the file how many ranges it has would be in the worker's way.
      async seen() {
        const sizes = (await staged()).map((file) => stat(file).catch(() => ({ size: 0 })));
        return (await Promise.all(sizes)).reduce((total, { size }) => total + size, 0);
      },
      more: (kill) => [1_500_000, 0, 700_000][kill % 3] ?? 0,
      async stored() {
        const [file] = (await staged()).filter((name) => name.endsWith('.duckdb'));
        if (file === undefined) return 0;
        const count = () => queryDuckDB(file, 'select count(*)::int as n from parts').catch(() => undefined);
        // Once the engine has noticed that its worker is dead.
        await expect.poll(count).toBeDefined();
        return Number((await count())?.[0]?.n);
      },
      async check() {
        expect((await readdir(folder)).sort()).toEqual(['.tidemark', 'kept.duckdb']);
        expect(await readdir(stages)).toEqual([]);
        await both.compare();
      },
    });
  },
  survivalTimeout,
);

test('out of a DuckDB file: a worker that takes over goes on with the ranges that are stored', async () => {
  const destination = await testDatabase();
  const from = await connectTo(harness, 'duckdb', { database: 'big.duckdb' });
  const file = path.join(harness.duckdbDir, harness.organizationId, 'big.duckdb');
  const many = 1_100_000;
  await queryDuckDB(
    file,
    `create table big (id int primary key, n int); insert into big select i, i % 7 from range(${many}) r(i)`,
  );
  const body = {
    name: 'out',
    source_connection_id: from,
    destination_connection_id: await harness.connect(destination),
    destination_configuration: { schema: 'copy' },
    disable_record_timestamps: true,
  };
  const { organizationId, actor } = harness;
  const sync = await createBulkSync(harness, organizationId, actor, body, 'either');
  const { id } = await startBulkSync(harness, organizationId, sync.id, {});
  const stored = () =>
    destination
      .query(`select 1 from copy._tidemark_state where entry like 'range%'`)
      .then(({ length }) => length)
      .catch(() => 0);
  await killAgainAndAgain(harness, id, { kills: 1, seen: stored, more: () => 1 });
  const { outcome, schemas } = await harness.run(id);
  expect([outcome, schemas]).toMatchObject([{ status: 'completed' }, [{ record_count: many }]]);
  const sums = await destination.query(
    'select count(*)::int as rows, sum(id)::text as ids, sum(n)::text as n from copy.big',
  );
  const expected = await queryDuckDB(
    file,
    'select count(*)::int as rows, sum(id)::varchar as ids, sum(n)::varchar as n from big',
  );
  expect(sums).toEqual(expected);
});
