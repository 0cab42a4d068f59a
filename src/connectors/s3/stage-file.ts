import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { duckdb } from '../../conditions/index.ts';
import { type Engine, loadRows } from '../duckdb-engine/index.ts';
import { FileRows } from '../file-formats/file-rows.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { receive } from '../file-formats/receive.ts';
import { WarningCounts } from '../file-formats/warning-counts.ts';
import { expectRows } from '../row-counts.ts';
import type { ManifestFile } from './manifest.ts';
import { ownTextRows } from './own-file.ts';
import { parquetRead } from './parquet-read.ts';
import type { FileWriter } from './write-files.ts';

const { identifier } = duckdb;

/** Columns from which on their rows, compared or read again, need more memory than usual; and what one of them needs. */
const [manyColumns, columnMemory] = [100, 4 * 1024 * 1024];

/** Makes a table of texts of the rows of a file that Tidemark wrote; columns that the file lacks are NULL. */
export async function stageFile(
  engine: Engine,
  { store, temp, folder }: Pick<FileWriter, 'store' | 'temp' | 'folder'>,
  table: string,
  file: ManifestFile,
  columns: readonly FileColumn[],
): Promise<void> {
  const path = temp.file();
  const key = `${folder}${file.path}`;
  if (columns.length > manyColumns) await engine.reserve((columns.length + 64) * columnMemory);
  try {
    await receive(store.read({ key, size: file.bytes }), path, { name: key });
    await engine.run(`create or replace table ${table} (${textColumns(columns)})`);
    if (file.path.endsWith('.parquet')) {
      const { columns: found, from } = await parquetRead(engine, path, columns);
      const texts = found.map((column) => column.text(identifier(column.name)));
      await engine.run(`insert into ${table} select ${texts.join(', ')} from ${from}`);
      await expectStaged(engine, table, key, file.rows);
      return;
    }
    const warnings = new WarningCounts();
    const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
    const rows = new FileRows(ownTextRows(key, open, columns, warnings), warnings, () => file.rows);
    const asText = columns.map(({ name }) => ({ name, outputName: name, type: 'text', nullable: true }));
    await loadRows(engine, asText, rows, (select) => engine.run(`insert into ${table} ${select}`));
    await expectStaged(engine, table, key, file.rows);
  } finally {
    await rm(path, { force: true });
  }
}

/** @throws rows_differ when the table has not all rows of the file. */
async function expectStaged(engine: Engine, table: string, key: string, rows: number): Promise<void> {
  const [row] = await engine.query<{ n: string }>(`select count(*)::varchar as n from ${table}`);
  expectRows(key, rows, Number(row?.n));
}

export function textColumns(columns: readonly FileColumn[]): string {
  return columns.map(({ name }) => `${identifier(name)} varchar`).join(', ');
}
