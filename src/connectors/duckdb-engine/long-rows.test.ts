import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BulkColumn } from '../contract.ts';
import { DuckDBError, type Engine, loadRows, openEngine, tableColumns } from './index.ts';

const mebibyte = 1024 * 1024;
const chunkLength = 256 * 1024;

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine({ canGrow: true });
});
afterAll(() => engine.close());

const columns = (type: string): BulkColumn[] => [
  { name: 'id', outputName: 'id', type: 'integer', nullable: false },
  { name: 'v', outputName: 'v', type, nullable: true },
];

/** Rows with values of these lengths, in chunks as a connection gives them: cut anywhere. */
function rowsOf(lengths: readonly number[], value: (length: number) => Buffer, id = true): Readable {
  const lines = lengths.flatMap((length, index) => [
    Buffer.from(id ? `${index}\t` : ''),
    value(length),
    Buffer.from('\n'),
  ]);
  const all = Buffer.concat(lines);
  const chunks = (function* () {
    for (let at = 0; at < all.length; at += chunkLength) yield all.subarray(at, at + chunkLength);
  })();
  return Readable.from(chunks);
}

const text = (length: number) => Buffer.alloc(length, 'a');
const hex = (length: number) => Buffer.concat([Buffer.from('\\\\x'), Buffer.alloc(length * 2, '61')]);

const few = Array<number>(9).fill(10);
const many = Array<number>(30_000).fill(100);
const sizes = [4 * mebibyte - 3, 9 * mebibyte, 17 * mebibyte];

test.each([
  { where: 'last', lengths: (size: number) => [...few, size] },
  { where: 'first', lengths: (size: number) => [size, ...few] },
  { where: 'in the middle', lengths: (size: number) => [...few, size, ...many] },
  { where: 'twice, with others between them', lengths: (size: number) => [size, ...many, size] },
])('a value of any length arrives: $where', async ({ lengths }) => {
  for (const size of sizes) await arrives('text', lengths(size), text);
});

test('a value of 100 MB arrives, and parts full of long ones', { timeout: 600_000 }, async () => {
  await arrives('bytea', [...few, 100 * mebibyte], hex);
  await arrives('text', Array<number>(10).fill(9 * mebibyte), text);
});

async function arrives(type: string, lengths: readonly number[], value: (length: number) => Buffer) {
  const wanted = columns(type);
  await engine.run(`create or replace table t (${tableColumns(wanted)})`);
  const { rows } = await loadRows(engine, wanted, rowsOf(lengths, value), (select) =>
    engine.run(`insert into t ${select}`),
  );
  expect(rows).toBe(lengths.length);
  const there = await engine.query(
    `select count(*)::integer as rows, sum(${type === 'text' ? 'strlen' : 'octet_length'}(v))::varchar as bytes from t`,
  );
  const bytes = lengths.reduce((sum, length) => sum + length, 0);
  expect(there, `${type} ${lengths.length} rows`).toEqual([{ rows: lengths.length, bytes: String(bytes) }]);
}

test('a single column with long and empty values arrives', async () => {
  const lengths = [0, 9 * mebibyte, 0, 20 * mebibyte, 0];
  const [, wanted] = columns('text');
  if (wanted === undefined) throw new Error('no column');
  await engine.run('create or replace table t (v varchar)');
  await loadRows(engine, [wanted], rowsOf(lengths, text, false), (select) =>
    engine.run(`insert into t ${select}`),
  );
  const found = await engine.query<{ n: number }>('select length(v)::integer as n from t order by n');
  expect(found.map(({ n }) => n)).toEqual([0, 0, 0, 9 * mebibyte, 20 * mebibyte]);
});

test('rows that DuckDB leaves out fail the load', async () => {
  await engine.run(`create or replace table t (${tableColumns(columns('text'))})`);
  const load = loadRows(engine, columns('text'), rowsOf(few, text), (select) =>
    engine.run(`insert into t ${select} where c0 <> '3'`),
  );
  await expect(load).rejects.toThrow('what DuckDB read of a file is to have 9 rows and has 8');
});

test('an engine that may run SQL of users keeps its settings', async () => {
  const locked = await openEngine();
  await expect(locked.run(`set memory_limit = '1GB'`)).rejects.toThrow(DuckDBError);
  await locked.close();
});
