import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { migrate } from '../src/db/index.ts';
import type { BulkChild, SyncMeasurement } from './bulk-child.ts';
import { checkParity, fillOrders, orders, query } from './bulk-orders.ts';
import { syncOf } from './bulk-sync.ts';
import { format, print, timed, withServer } from './support.ts';

const shell = promisify(execFile);

interface Bench extends Pick<BulkChild, 'metadata' | 'source' | 'destination'> {
  rows: number;
  repeat: number;
}

/** What is compared is said in README.md. `--rows`, `--repeat`, `--memory-rows` (0: not measured). */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '5000000' },
      repeat: { type: 'string', default: '5' },
      'memory-rows': { type: 'string', default: '20000000' },
    },
  });
  await shell('psql', ['--version']).catch(() => {
    throw new Error('this benchmark needs psql: on Debian, apt install postgresql-client');
  });
  await withServer(async (server) => {
    for (const name of ['metadata', 'shop', 'warehouse', 'copied'])
      await query(server.url(), `create database ${name}`);
    await migrate(server.url('metadata'));
    const bench: Bench = {
      metadata: server.url('metadata'),
      source: server.url('shop'),
      destination: server.url('warehouse'),
      rows: Number(values.rows),
      repeat: Number(values.repeat),
    };
    console.log(`${os.availableParallelism()} cores, median of ${bench.repeat} (min–max)`);
    await query(
      bench.source,
      orders('orders'),
      fillOrders(bench.rows),
      'vacuum analyze orders',
      'checkpoint',
    );
    await measureFull(bench, server.url('copied'));
    await measureIncremental(bench);
    if (values['memory-rows'] !== '0') await measureMemory(bench, Number(values['memory-rows']));
  });
}

/** Each round: the pipe, the sync, and pgcopydb; ratios are of the same round, so that a busy machine slows all. */
async function measureFull(bench: Bench, copied: string): Promise<void> {
  const { source, destination, rows, repeat } = bench;
  const hasPgcopydb = await shell('pgcopydb', ['--version']).then(
    () => true,
    () => false,
  );
  const [pipe, pipeAndKey, pgcopydb, sync]: [number[], number[], number[], SyncMeasurement[]] = [
    [],
    [],
    [],
    [],
  ];
  for (let round = 0; round < repeat; round++) {
    await query(destination, orders('piped', ''), 'checkpoint');
    const seconds = await timed(() => pipeTable(source, destination));
    pipe.push(seconds);
    const rest = () => query(destination, 'alter table piped add primary key (id)', 'analyze piped');
    pipeAndKey.push(seconds + (await timed(rest)));
    await query(destination, 'drop table piped', 'drop schema if exists replica cascade', 'checkpoint');
    await using child = await syncOf({ ...bench, schemas: [{ id: 'public.orders' }] });
    sync.push(await child.run());
    if (!hasPgcopydb) continue;
    await query(copied, 'drop table if exists orders', orders('orders', ''), 'checkpoint');
    pgcopydb.push(await timed(() => copyWithPgcopydb(source, copied)));
  }
  await checkParity(source, destination, 'replica.orders');

  console.log(`\nfull load of ${format(rows)} rows, 3 ranges at a time`);
  const rates = (seconds: number[]) => seconds.map((one) => rows / one);
  print('Tidemark bulk sync', rates(sync.map(({ seconds }) => seconds)), 'rows/s');
  print('psql | psql', rates(pipe), 'rows/s');
  print('psql | psql, then key and analyze', rates(pipeAndKey), 'rows/s');
  if (hasPgcopydb) print('pgcopydb, 3 jobs, no key', rates(pgcopydb), 'rows/s');
  else console.log('pgcopydb is not installed (Debian: apt install pgcopydb)');
  const ratios = (other: number[]) => other.map((one, round) => one / (sync[round]?.seconds ?? Number.NaN));
  print('ratio to the pipe', ratios(pipe), '×', 2);
  print('ratio to the pipe with the same end', ratios(pipeAndKey), '×', 2);
  if (hasPgcopydb) print('ratio to pgcopydb', ratios(pgcopydb), '×', 2);
  print(
    'own CPU',
    sync.map(({ cpuMicroseconds }) => cpuMicroseconds / rows),
    'µs/row',
    3,
  );
  print(
    'peak memory',
    sync.map(({ peakBytes }) => peakBytes / 1e6),
    'MB',
  );
}

/** One row in a hundred changes between two rounds; the rest is what a `psql` script of the same would do. */
async function measureIncremental(bench: Bench): Promise<void> {
  const { source, destination, rows, repeat } = bench;
  await query(
    source,
    `update orders set updated_at = '2025-01-01' where updated_at is null`,
    'create index on orders (updated_at)',
    'vacuum analyze orders',
  );
  await query(destination, 'drop schema if exists replica cascade', orders('piped'));
  await pipeTable(source, destination);
  await using child = await syncOf({
    ...bench,
    schemas: [{ id: 'public.orders', tracking_field: 'updated_at' }],
  });
  await child.run();
  await query(destination, 'vacuum analyze piped', 'vacuum analyze replica.orders');
  const [script, sync]: [number[], SyncMeasurement[]] = [[], []];
  for (let round = 0; round < repeat; round++) {
    const at = `'2026-01-01'::timestamptz + interval '${round} h'`;
    await query(
      source,
      `update orders set amount = amount + 1, updated_at = ${at} where id % 100 = ${round}`,
      'checkpoint',
    );
    script.push(await timed(() => mergeWithPsql(source, destination, at)));
    await query(destination, 'checkpoint');
    sync.push(await child.run());
  }
  await checkParity(source, destination, 'replica.orders');
  console.log(`\nincremental: ${format(rows / 100)} of ${format(rows)} rows changed`);
  print(
    'Tidemark bulk sync',
    sync.map(({ seconds }) => seconds),
    's',
    2,
  );
  print('psql | psql, insert on conflict', script, 's', 2);
  print(
    'own CPU',
    sync.map(({ cpuMicroseconds }) => cpuMicroseconds / 1e6),
    's',
    2,
  );
  await query(destination, 'drop table piped', 'drop schema replica cascade');
}

async function measureMemory(bench: Bench, rows: number): Promise<void> {
  await query(
    bench.source,
    'drop table orders',
    'create table readings (id bigint primary key, sensor integer, value integer)',
    `insert into readings select i, i % 1000, i % 77 from generate_series(1, ${rows}) i`,
    'vacuum analyze readings',
  );
  await using child = await syncOf({ ...bench, schemas: [{ id: 'public.readings' }] });
  const { seconds, cpuMicroseconds, peakBytes, samples } = await child.run();
  const third = Math.ceil(samples.length / 3);
  const megabytes = (list: number[]) => format(Math.max(...list) / 1e6);
  console.log(`\nmemory: ${format(rows)} rows of 3 numbers, once`);
  console.log(
    `peak ${format(peakBytes / 1e6)} MB; first third ${megabytes(samples.slice(0, third))} MB, last third ${megabytes(samples.slice(-third))} MB`,
  );
  console.log(`${format(rows / seconds)} rows/s, own CPU ${format(cpuMicroseconds / rows, 3)} µs/row`);
}

async function pipeTable(source: string, destination: string): Promise<void> {
  await pipe(
    `psql "$0" -c 'copy orders to stdout (format binary)' | psql "$1" -qc 'copy piped from stdin (format binary)'`,
    source,
    destination,
  );
}

async function mergeWithPsql(source: string, destination: string, at: string): Promise<void> {
  const columns = [
    'external_id',
    'customer_id',
    'status',
    'amount',
    'email',
    'shipped',
    'attributes',
    'created_at',
    'updated_at',
  ];
  const set = columns.map((name) => `${name} = excluded.${name}`).join(', ');
  await pipe(
    `psql "$0" -c "copy (select * from orders where updated_at >= ${at}) to stdout (format binary)" |
     psql "$1" -q1 -c 'create temp table changed (like piped) on commit drop' -c 'copy changed from stdin (format binary)' \
       -c 'insert into piped select * from changed on conflict (id) do update set ${set}'`,
    source,
    destination,
  );
}

async function copyWithPgcopydb(source: string, destination: string): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-pgcopydb-'));
  const ends = ['--source', source, '--target', destination, '--dir', folder];
  try {
    await shell('pgcopydb', [
      'copy',
      'table-data',
      ...ends,
      '--table-jobs',
      '3',
      '--restart',
      '--not-consistent',
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pipe(command: string, ...args: string[]): Promise<void> {
  await shell('bash', ['-o', 'pipefail', '-c', command, ...args]);
}
