import { execFile } from 'node:child_process';
import { once } from 'node:events';
import os from 'node:os';
import { parseArgs, promisify } from 'node:util';
import pg from 'pg';
import { migrate } from '../src/db/index.ts';
import type { Measurement } from './bulk-child.ts';
import { median, print, startChild, withServer } from './support.ts';

const shell = promisify(execFile);

const table = `create table orders (
  id bigint primary key, external_id uuid not null, customer_id integer not null, status text not null,
  amount numeric(12, 2) not null, email text, shipped boolean, attributes jsonb,
  created_at timestamptz not null, updated_at timestamptz)`;

const rowsOf = (rows: number) => `
  insert into orders select i, md5(i::text)::uuid, i % 50000,
    (array['new', 'paid', 'shipped', 'returned'])[1 + i % 4], (i % 100000) / 100.0,
    'customer' || i % 50000 || '@example.com', i % 2 = 0,
    case when i % 5 > 0 then jsonb_build_object('channel', 'web', 'items', i % 7, 'note', md5((i + 1)::text)) end,
    timestamptz '2024-01-01' + i * interval '1.000001 s',
    case when i % 3 > 0 then timestamptz '2025-01-01' + i * interval '1 s' end
  from generate_series(1, ${rows}) i`;

/** Prints rows/s of a bulk sync beside those of two psql processes and a pipe. `--rows`, `--repeat`. */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: 'string', default: '2000000' }, repeat: { type: 'string', default: '5' } },
  });
  const rows = Number(values.rows);
  await shell('psql', ['--version']).catch(() => {
    throw new Error('this benchmark needs psql: on Debian, apt install postgresql-client');
  });
  await withServer(async (server) => {
    for (const name of ['metadata', 'shop', 'warehouse'])
      await query(server.url(), `create database ${name}`);
    await migrate(server.url('metadata'));
    const [shop, warehouse] = [server.url('shop'), server.url('warehouse')];
    console.log(`${rows} rows, ${os.availableParallelism()} cores, median of ${values.repeat} (min–max)`);
    await query(shop, table, rowsOf(rows), 'vacuum analyze orders', 'checkpoint');

    const sync: Measurement[] = [];
    const pipe: number[] = [];
    const pipeToTheSameEnd: number[] = [];
    for (let round = 0; round < Number(values.repeat); round++) {
      await query(
        warehouse,
        'drop table if exists piped',
        table.replace('orders', 'piped').replace(' primary key', ''),
      );
      await query(warehouse, 'checkpoint');
      const seconds = await timed(() => pipeTable(shop, warehouse));
      pipe.push(seconds);
      const rest = () => query(warehouse, 'alter table piped add primary key (id)', 'analyze piped');
      pipeToTheSameEnd.push(seconds + (await timed(rest)));
      await query(warehouse, 'drop table piped', 'checkpoint');
      sync.push(await measureSync(server.url('metadata'), shop, warehouse));
    }
    await checkParity(shop, warehouse);

    const rates = (seconds: number[]) => seconds.map((one) => rows / one);
    const syncRates = rates(sync.map(({ seconds }) => seconds));
    print('Tidemark bulk sync', syncRates, 'rows/s');
    print('psql | psql', rates(pipe), 'rows/s');
    print('psql | psql, then key and analyze', rates(pipeToTheSameEnd), 'rows/s');
    const ratio = (other: number[]) => (median(syncRates) / median(rates(other))).toFixed(2);
    console.log(
      `ratio to the pipe: ${ratio(pipe)}; to the pipe with the same end: ${ratio(pipeToTheSameEnd)}`,
    );
    print(
      'own CPU',
      sync.map(({ cpuMicroseconds }) => cpuMicroseconds / rows),
      'µs/row',
      3,
    );
  });
}

async function measureSync(metadata: string, shop: string, warehouse: string): Promise<Measurement> {
  const { child, first } = await startChild<Measurement>('bulk-child.ts', {
    args: [metadata, shop, warehouse],
  });
  if (child.exitCode === null) await once(child, 'exit');
  return first;
}

async function pipeTable(shop: string, warehouse: string): Promise<void> {
  const copy = `psql "$0" -c 'copy orders to stdout (format binary)' | psql "$1" -qc 'copy piped from stdin (format binary)'`;
  await shell('bash', ['-o', 'pipefail', '-c', copy, shop, warehouse]);
}

async function checkParity(shop: string, warehouse: string): Promise<void> {
  const hash = (relation: string) =>
    `select md5(string_agg(md5(t::text), '' order by id)) as hash from ${relation} t`;
  const [source] = await query(shop, hash('orders'));
  const [copy] = await query(warehouse, hash('replica.orders'));
  if (source?.hash !== copy?.hash) throw new Error('the copy differs from its source');
}

/** Runs statements one by one, returns the last one's rows. */
async function query(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  let rows: Record<string, unknown>[] = [];
  for (const statement of statements) ({ rows } = await client.query(statement));
  await client.end();
  return rows;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}
