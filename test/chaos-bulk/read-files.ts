import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { TestS3 } from '../support/s3.ts';
import type { Row } from './source.ts';

/** Past the engine that connectors use. */
let attached = 0;
let engine: Promise<DuckDBConnection> | undefined;

async function connection(): Promise<DuckDBConnection> {
  engine ??= (async () => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const opened = await instance.connect();
    await opened.run(`set TimeZone = 'UTC'`);
    return opened;
  })();
  return engine;
}

export async function closeEngine(): Promise<void> {
  const opened = await engine;
  engine = undefined;
  opened?.closeSync();
}

/** Every row of a relation, each value as DuckDB writes it. */
async function texts(relation: string): Promise<Row[]> {
  const duckdb = await connection();
  const columns = (await duckdb.runAndReadAll(`describe select * from ${relation}`)).getRows();
  const list = columns.map(([name, type]) => {
    const column = `"${String(name).replaceAll('"', '""')}"`;
    if (type === 'BLOB') return `'\\x' || hex(${column})`;
    if (String(type).endsWith('[]')) return `to_json(${column})::varchar`;
    return `${column}::varchar`;
  });
  const rows = (await duckdb.runAndReadAll(`select ${list.join(', ')} from ${relation}`)).getRows();
  return rows.map(
    (row) =>
      new Map(
        columns.map(([name], index) => {
          const value = row[index];
          return [String(name), value === null || value === undefined ? null : String(value)];
        }),
      ),
  );
}

/** Table t of a DuckDB file. */
export async function readTable(file: string): Promise<Row[] | undefined> {
  if (!existsSync(file)) return undefined;
  const duckdb = await connection();
  // Worlds read at the same time.
  const name = `world_${attached++}`;
  await duckdb.run(`attach '${file}' as ${name} (read_only)`);
  try {
    const found = await duckdb.runAndReadAll(
      `select 1 from duckdb_tables() where database_name = '${name}' and schema_name = 'main' and table_name = 't'`,
    );
    return found.getRows().length === 0 ? undefined : await texts(`${name}.main.t`);
  } finally {
    await duckdb.run(`detach ${name}`);
  }
}

interface Manifest {
  columns: { name: string }[];
  files: { path: string; rows: number }[];
  lists?: unknown[];
}

/** The rows of the files that a manifest names. @param prefix of the table's folder. */
export async function readFiles(server: TestS3, prefix: string): Promise<Row[] | undefined> {
  if (!(await server.keys(`${prefix}_manifest.json`)).includes(`${prefix}_manifest.json`)) return undefined;
  const manifest = JSON.parse(`${await server.get(`${prefix}_manifest.json`)}`) as Manifest;
  if (manifest.lists !== undefined) throw new Error('files are in lists, which is for very many');
  const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-world-'));
  try {
    const rows: Row[] = [];
    for (const [index, { path: key, rows: said }] of manifest.files.entries()) {
      // DuckDB keeps what it has read of a file by its name.
      const file = path.join(folder, String(index));
      await writeFile(file, await server.get(`${prefix}${key}`));
      const found = await texts(`read_parquet('${file}', hive_partitioning = false)`);
      if (found.length !== said)
        throw new Error(`${key} has ${found.length} rows, its manifest says ${said}`);
      // A file that was written before a column came has none, which is NULL.
      rows.push(
        ...found.map((row) => new Map(manifest.columns.map(({ name }) => [name, row.get(name) ?? null]))),
      );
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}
