import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { migrate } from '../src/db/index.ts';
import { mariadbAccount, mariadbPassword, startMariadb } from '../test/support/mariadb-server.ts';
import type { Measurement } from './bulk-child.ts';
import { query } from './bulk-orders.ts';
import { syncOf } from './bulk-sync.ts';
import { median, print, startChild, timed, withServer } from './support.ts';

const shell = promisify(execFile);

const table = `create table orders (
  id bigint primary key, a bigint, b bigint, c int, d double, e double, f double, g double,
  h varchar(32), i varchar(32), j date, k date, l datetime(6), m varchar(32), n varchar(32), o varchar(32))`;

const rowsOf = (rows: number) => `insert into orders select seq, seq * 7, seq * 1000003, seq % 1000,
  rand(seq), rand() * 1000, rand() * 1e6, seq / 3, md5(seq), md5(seq + 1), '2020-01-01' + interval seq % 1000 day,
  '1999-01-01' + interval seq % 5000 day, '2020-01-01' + interval seq microsecond, md5(seq + 2), md5(seq + 3), md5(seq + 4)
  from seq_1_to_${rows}`;

/** Prints rows/s of a bulk sync from MariaDB beside those of pgloader. `--rows`, `--repeat`. */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: 'string', default: '1000000' }, repeat: { type: 'string', default: '5' } },
  });
  const [rows, repeat] = [Number(values.rows), Number(values.repeat)];
  await shell('pgloader', ['--version']).catch(() => {
    throw new Error('this benchmark needs pgloader: on Debian, apt install pgloader mariadb-server');
  });
  const mariadb = await startMariadb({ 'innodb-buffer-pool-size': '1G', 'innodb-log-file-size': '512M' });
  try {
    const shop = `mysql://${mariadbAccount}:${encodeURIComponent(mariadbPassword)}@127.0.0.1:${mariadb.port}/shop`;
    await fill(shop, rows);
    await withServer(async (server) => {
      for (const name of ['metadata', 'warehouse']) await query(server.url(), `create database ${name}`);
      await migrate(server.url('metadata'));
      const warehouse = server.url('warehouse');
      console.log(`${rows} rows, ${os.availableParallelism()} cores, median of ${repeat} (min–max)`);
      const sync: Measurement[] = [];
      const pgloader: number[] = [];
      for (let round = 0; round < repeat; round++) {
        await query(warehouse, 'drop schema if exists shop cascade', 'checkpoint');
        pgloader.push(await timed(() => load(shop, warehouse)));
        await query(warehouse, 'drop schema if exists replica cascade', 'checkpoint');
        const ends = { metadata: server.url('metadata'), source: shop, destination: warehouse };
        await using child = await syncOf(ends);
        sync.push(await child.run());
      }
      await checkParity(warehouse);
      const rates = sync.map(({ seconds }) => rows / seconds);
      const theirs = pgloader.map((seconds) => rows / seconds);
      print('Tidemark bulk sync', rates, 'rows/s');
      print('pgloader', theirs, 'rows/s');
      console.log(`ratio to pgloader: ${(median(rates) / median(theirs)).toFixed(2)}`);
      const cpu = sync.map(({ cpuMicroseconds }) => cpuMicroseconds / rows);
      print('own CPU', cpu, 'µs/row', 3);
    });
    for (const way of ['packets', 'arrays']) {
      const reads: Measurement[] = [];
      for (let round = 0; round < repeat; round++) {
        const { child, first } = await startChild<Measurement>('mysql-read-child.ts', { args: [shop, way] });
        if (child.exitCode === null) await once(child, 'exit');
        reads.push(first);
      }
      const cpu = reads.map(({ cpuMicroseconds }) => cpuMicroseconds / rows);
      print(way === 'packets' ? 'reading, our CPU' : 'reading with mysql2 arrays, CPU', cpu, 'µs/row', 3);
    }
  } finally {
    await mariadb.stop();
  }
}

async function fill(shop: string, rows: number): Promise<void> {
  const url = new URL(shop);
  url.pathname = '/';
  const connection = await mysql.createConnection(url.href);
  for (const statement of ['create database shop', 'use shop', table, rowsOf(rows), 'analyze table orders']) {
    await connection.query(statement);
  }
  await connection.end();
}

async function load(shop: string, warehouse: string): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  try {
    const file = path.join(folder, 'shop.load');
    await writeFile(file, `LOAD DATABASE FROM ${shop} INTO ${warehouse};\n`);
    const { stdout } = await shell('pgloader', ['--root-dir', folder, file], { maxBuffer: 1 << 24 });
    if (/ERROR|FATAL/.test(stdout)) throw new Error(stdout);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkParity(warehouse: string): Promise<void> {
  const hash = (relation: string) =>
    `select md5(string_agg(md5(t::text), '' order by id)) as hash from (select id, a, b, c, d, e, f, g, h, i, j, k, m, n, o from ${relation}) t`;
  const [ours] = await query(warehouse, hash('replica.orders'));
  const [theirs] = await query(warehouse, hash('shop.orders'));
  if (ours?.hash !== theirs?.hash) throw new Error('the two copies differ');
}
