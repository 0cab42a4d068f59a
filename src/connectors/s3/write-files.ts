import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TempFolder } from '../../lib/temp-folder.ts';
import type { ValueWarning } from '../contract.ts';
import { type Engine, literal, loadPart, loadRows, partHeader } from '../duckdb-engine/index.ts';
import { wholeRows } from '../file-formats/copy-text-rows.ts';
import { FileRows } from '../file-formats/file-rows.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { cutInOrder, cutRows, type RowPart } from '../file-formats/row-parts.ts';
import { WarningCounts } from '../file-formats/warning-counts.ts';
import { csvText, jsonLines } from '../file-formats/write-text.ts';
import { expectRows } from '../row-counts.ts';
import { type ManifestFile, type OutputFormat, safeName } from './manifest.ts';
import { parquetColumns } from './parquet-types.ts';
import type { ObjectStore } from './store.ts';

/** Files that are made and sent while the next one is gathered. */
const underWay = 2;
/** Characters that a value may take in a key; S3's keys have 1024 bytes at most. */
const longestValue = 200;

/** Stores rows as files of one table. */
export interface FileWriter {
  store: ObjectStore;
  temp: TempFolder;
  /** Lends an engine that does nothing else meanwhile. */
  withEngine<Result>(use: (engine: Engine) => Promise<Result>): Promise<Result>;
  format: OutputFormat;
  /** Of the table, with a slash at its end. */
  folder: string;
  /** Where its new files go, below it. */
  generation: string;
  columns: readonly FileColumn[];
  /** Name of the column that rows are laid out by. */
  partitionBy: string | undefined;
  partSize: number;
}

interface Made {
  path: string;
  rows: number;
}

/**
 * Stores rows of COPY text that have the table's columns, in files of bounded size.
 *
 * @param label is part of the files' names, and never the same twice: what a run that was given up still writes is
 *   never taken for another's.
 */
export async function writeFiles(
  writer: FileWriter,
  rows: AsyncIterable<Buffer>,
  label: string,
): Promise<{ files: ManifestFile[]; warnings: ValueWarning[] }> {
  const files: ManifestFile[] = [];
  const warnings = new WarningCounts();
  const pending = new Set<Promise<void>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let count = 0;
  try {
    for await (const part of cut(writer, rows)) {
      const name = `${label}-${count++}`;
      const storing: Promise<void> = storePart(writer, part, name, warnings)
        .then((stored) => void files.push(...stored), failed.reject)
        .finally(() => pending.delete(storing));
      pending.add(storing);
      if (pending.size >= underWay) await Promise.race([failed.promise, ...pending]);
    }
    await Promise.race([failed.promise, Promise.all(pending)]);
  } finally {
    await Promise.all(pending);
  }
  return { files: files.sort((one, other) => (one.path < other.path ? -1 : 1)), warnings: warnings.list() };
}

function cut(writer: FileWriter, rows: AsyncIterable<Buffer>): AsyncGenerator<RowPart> {
  const { temp, columns, partitionBy, partSize } = writer;
  const file = () => temp.file('.copy');
  if (partitionBy === undefined) {
    return cutInOrder(rows, file, partSize, readsParts(writer) ? partHeader : '');
  }
  const at = columns.findIndex(({ name }) => name === partitionBy);
  return cutRows(rows, { at, name: partitionBy }, file, partSize);
}

/** Whether parts are such that DuckDB reads them as they are. */
function readsParts({ format, columns, partitionBy }: FileWriter): boolean {
  return format === 'parquet' && partitionBy === undefined && columns.length > 1;
}

async function storePart(
  writer: FileWriter,
  part: RowPart,
  name: string,
  warnings: WarningCounts,
): Promise<ManifestFile[]> {
  const { store, format, folder, generation, partitionBy = '' } = writer;
  const { partition } = part;
  const below = partition === undefined ? '' : `${partitionFolder(partitionBy, partition)}/`;
  const made = await convert(part, writer, warnings);
  const stored = made.reduce((total, { rows }) => total + rows, 0);
  expectRows(`the files of part ${name}`, part.rows, stored);
  const files: ManifestFile[] = [];
  for (const { path: file, rows } of made) {
    const path = `data/${generation}/${below}${name}${files.length === 0 ? '' : `-${files.length}`}.${format}`;
    const { size } = await stat(file);
    await store.upload(`${folder}${path}`, file);
    await rm(file, { force: true });
    files.push({ path, rows, bytes: size, ...(partition === undefined ? {} : { partition }) });
  }
  return files;
}

async function convert(part: RowPart, writer: FileWriter, warnings: WarningCounts): Promise<Made[]> {
  const { format, columns, temp } = writer;
  try {
    if (format === 'parquet') return await parquetFiles(part, writer, warnings);
    const file = temp.file();
    const text = format === 'csv' ? csvText : jsonLines;
    const written = { rows: 0 };
    await pipeline(Readable.from(text(rowsOf(part), columns, warnings, written)), createWriteStream(file));
    return [{ path: file, rows: written.rows }];
  } finally {
    await rm(part.path, { force: true });
  }
}

function rowsOf({ path }: RowPart): AsyncGenerator<Buffer> {
  return wholeRows(createReadStream(path, { highWaterMark: 256 * 1024 }), path);
}

function parquetFiles(part: RowPart, writer: FileWriter, warnings: WarningCounts): Promise<Made[]> {
  const { temp, withEngine } = writer;
  const columns = parquetColumns(writer.columns);
  return withEngine(async (engine) => {
    const made: Made[] = [];
    const write = async (select: string) => {
      const path = temp.file();
      await engine.run(`copy (${select}) to ${literal(path)} (format parquet, compression zstd)`);
      const rows = await rowsOfParquet(engine, path);
      made.push({ path, rows });
      return rows;
    };
    const { warnings: changed } = readsParts(writer)
      ? await loadPart(engine, columns, part, write)
      : await loadRows(engine, columns, new FileRows(rowsOf(part), warnings, () => part.rows), write);
    for (const { column, rule, count } of changed) warnings.add(column, rule, count);
    return made;
  });
}

/** As its footer says. */
async function rowsOfParquet(engine: Engine, path: string): Promise<number> {
  const [row] = await engine.query<{ n: string }>(
    `select num_rows::varchar as n from parquet_file_metadata(${literal(path)})`,
  );
  return Number(row?.n);
}

/** `key=value`, as Hive and all that came after it name folders; NULL has a name of its own there. */
export function partitionFolder(column: string, value: string | null): string {
  if (value === null) return `${safeName(column)}=__HIVE_DEFAULT_PARTITION__`;
  const name = safeName(value);
  if (name.length <= longestValue) return `${safeName(column)}=${name}`;
  const digest = createHash('sha256').update(value).digest('hex').slice(0, 16);
  const start = name.slice(0, longestValue - 17).replace(/%[0-9A-F]?$/, '');
  return `${safeName(column)}=${start}~${digest}`;
}
