import { createWriteStream } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { findConnector } from '../src/connectors/index.ts';
import { startEmbeddedPostgres } from '../src/db/index.ts';
import { createEgress } from '../src/egress/index.ts';
import { copyTable } from '../test/support/copy-table.ts';
import { postgresqlConfiguration } from '../test/support/http.ts';
import { startS3 } from '../test/support/s3.ts';

const orders = (rows: number) => `
  create table orders as select i::bigint as id, md5(i::text)::uuid as external_id, i % 50000 as customer_id,
    (array['new', 'paid', 'shipped', 'returned'])[1 + i % 4] as status, ((i % 100000) / 100.0)::numeric(12, 2) as amount,
    'customer' || i % 50000 || '@example.com' as email, i % 2 = 0 as shipped,
    timestamptz '2024-01-01' + i * interval '1.000001 s' as created_at
  from generate_series(1, ${rows}) i; alter table orders add primary key (id)`;

/** Prints rows/s from PostgreSQL to Parquet in S3 beside DuckDB's own writer. `--rows`, `--repeat`. */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: 'string', default: '1000000' }, repeat: { type: 'string', default: '5' } },
  });
  const [rows, repeat] = [Number(values.rows), Number(values.repeat)];
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres(folder);
  const store = await startS3();
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const open = (id: string, configuration: object) => {
    const session = findConnector(id)?.open({ ...configuration }, { egress });
    if (session === undefined) throw new Error(`no connector ${id}`);
    return session;
  };
  const database = { ...postgresqlConfiguration(server.url()), client_certs: false };
  const [source, lake] = [open('postgresql', database), open('s3', store.configuration)];
  try {
    const csv = path.join(folder, 'orders.csv');
    const client = new pg.Client(server.url());
    await client.connect();
    await client.query(orders(rows));
    await pipeline(
      client.query(copyTo('copy orders to stdout (format csv, header)')),
      createWriteStream(csv),
    );
    await client.end();
    const duckdb = await DuckDBInstance.create();
    const connection = await duckdb.connect();
    await connection.run(`create table orders as select * from read_csv('${csv}')`);
    const write = (from: string) => () =>
      connection.run(`copy (${from}) to '${folder}/orders.parquet' (format parquet, compression zstd)`);
    const sides: [string, () => Promise<unknown>, number[]][] = [
      ['Tidemark: PostgreSQL → Parquet in S3', () => copyTable(source, lake, 'public.orders'), []],
      ['DuckDB: CSV → Parquet', write(`select * from read_csv('${csv}')`), []],
      ['DuckDB: its own table → Parquet', write('from orders'), []],
    ];
    for (let round = 0; round < repeat; round++) {
      for (const [, work, seconds] of sides) {
        const started = performance.now();
        await work();
        seconds.push((performance.now() - started) / 1000);
      }
    }
    console.log(`${rows} rows, ${os.availableParallelism()} cores, median of ${repeat} (min–max)`);
    for (const [name, , seconds] of sides) {
      const rates = seconds.map((one) => Math.round(rows / one)).sort((a, b) => a - b);
      console.log(`${name.padEnd(38)} ${rates[repeat >> 1]} rows/s (${rates[0]}–${rates.at(-1)})`);
    }
    connection.closeSync();
    duckdb.closeSync();
  } finally {
    await Promise.all([source.close(), lake.close()]);
    await egress.close();
    await store.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
