import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type EngineOptions, literal, openEngine } from './index.ts';

const folder = async () => {
  const name = await mkdtemp(path.join(tmpdir(), 'engine-test-'));
  onTestFinished(() => rm(name, { recursive: true }));
  return name;
};

const engineOf = async (options: EngineOptions = {}) => {
  const engine = await openEngine(options);
  onTestFinished(() => engine.close());
  return engine;
};

test('SQL reaches its own folders and nothing else', async () => {
  const [inside, outside] = [await folder(), await folder()];
  for (const name of [inside, outside]) await writeFile(path.join(name, 'x.csv'), 'a\n1\n');
  const engine = await engineOf({ folders: [inside] });
  const file = (name: string) => literal(path.join(name, 'x.csv'));
  expect(await engine.query(`select * from read_csv(${file(inside)})`)).toEqual([{ a: '1' }]);
  expect(await engine.run(`copy (select 1) to ${literal(`${engine.folder}/x.parquet`)}`)).toBe(1);
  for (const sql of [
    `select * from read_csv(${file(outside)})`,
    `select * from ${literal(`${inside}/../${path.basename(outside)}/x.csv`)}`,
    `select * from read_blob('/proc/self/environ')`,
    `select * from glob('/*')`,
    `select * from 'https://example.com/x.csv'`,
    `copy (select 1) to ${literal(`${outside}/y.csv`)}`,
    `attach ${literal(`${outside}/y.duckdb`)} as y`,
    `set enable_external_access = true`,
    `set allowed_directories = ['/']`,
    `set memory_limit = '1TB'`,
    `install httpfs`,
    `load httpfs`,
    `create persistent secret s (type http, bearer_token 'x')`,
  ]) {
    await expect(engine.query(sql), sql).rejects.toMatchObject({ name: 'DuckDBError' });
  }
});

test('a read that fails after some rows says why, and never looks complete', async () => {
  const engine = await engineOf();
  await engine.run('create table t as select range as i from range(500_000)');
  const columns = await engine.columns('select i::varchar as x from t');
  const from = `(select case when i = 490_000 then error('too far') else i::varchar end as x from t) q`;
  const rows = engine.read({ columns, from });
  await expect(rows.toArray()).rejects.toThrow('too far');
  expect(rows.rows).toBeLessThan(500_000);
  expect(await engine.query('select count(*)::integer as n from t')).toEqual([{ n: 500_000 }]);
});

test('destroying a read ends it at once, and its lock on the file', async () => {
  const file = path.join(await folder(), 'x.duckdb');
  const writer = await openEngine({ file });
  await writer.run('create table t as select range as i from range(3_000_000)');
  await writer.close();
  const reader = await engineOf({ file, readOnly: true });
  const rows = reader.read({ columns: await reader.columns('select * from t'), from: 't' });
  for await (const _ of rows) break;
  expect(rows.destroyed).toBe(true);
  await reader.close();
  expect(existsSync(reader.folder)).toBe(false);
  const next = await engineOf({ file });
  expect(await next.run('insert into t values (1)')).toBe(1);
});

test('a file is written by one process at a time, and read by several', async () => {
  const file = path.join(await folder(), 'x.duckdb');
  const writer = await openEngine({ file });
  await writer.run('create table t (i integer)');
  await expect(openEngine({ file, readOnly: true })).rejects.toMatchObject({
    name: 'ConnectionLost',
    message: 'x.duckdb is in use by another process',
  });
  const waiting = openEngine({ file, readOnly: true, patience: 30_000 });
  await writer.close();
  const readers = [await waiting, await openEngine({ file, readOnly: true })];
  for (const reader of readers) await expect(reader.run('insert into t values (1)')).rejects.toThrow();
  await Promise.all(readers.map((reader) => reader.close()));
});

test('an aborted engine ends what it does and cannot be used any more', async () => {
  const ended = new AbortController();
  const engine = await engineOf({ signal: ended.signal });
  const running = engine.run(
    'create table t as select count(*) from range(100_000_000) a, range(100_000_000) b',
  );
  ended.abort();
  await expect(running).rejects.toMatchObject({ name: 'ConnectionLost' });
  await expect(engine.query('select 1')).rejects.toMatchObject({ name: 'ConnectionLost' });
});
