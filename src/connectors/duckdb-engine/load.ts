import { rm } from 'node:fs/promises';
import type { BulkColumn, ValueWarning } from '../contract.ts';
import { expectRows } from '../row-counts.ts';
import type { Engine } from './engine.ts';
import { isValueError } from './errors.ts';
import { identifier, literal } from './names.ts';
import { type Lines, type Part, spool } from './spool.ts';
import { type Storage, storage } from './write-types.ts';

/** Bytes that DuckDB reads of a part at once, unless a line needs more. */
const bufferLength = 8 * 1024 * 1024;

/** What DuckDB says it has taken. */
export interface Loaded {
  rows: number;
  warnings: ValueWarning[];
}

interface LoadColumn {
  name: string;
  outputName: string;
  /** The field as COPY text, and the SQL for its text. */
  text: string;
  storage: Storage;
}

/** `"id" BIGINT, "name" VARCHAR`: what a table takes that rows with these columns go to. */
export function tableColumns(columns: readonly BulkColumn[]): string {
  return columns.map(({ outputName, type }) => `${identifier(outputName)} ${storage(type).type}`).join(', ');
}

/**
 * Gives the rows of COPY text to DuckDB, in parts of bounded size; while one is worked off the next is received.
 *
 * @param use runs one statement on a SELECT with the columns' output names and their types of `tableColumns`, e.g.
 *   `insert into … ${select}` or `copy (${select}) to 'x.parquet'`, and returns the rows. When it fails because of
 *   a value, it is called once more for the same rows with a SELECT in which that value is changed by its rule.
 */
export async function loadRows(
  engine: Engine,
  columns: readonly BulkColumn[],
  rows: Lines,
  use: (select: string) => Promise<number>,
): Promise<Loaded> {
  const warnings = new Map<string, ValueWarning>();
  const loads = columns.map(loadColumn);
  let written = 0;
  const loadPart = async (part: Part) => {
    try {
      written += await usePart(engine, loads, part, use, warnings);
    } finally {
      await rm(part.path);
    }
  };
  let loading: Promise<void> = Promise.resolve();
  for await (const part of spool(rows, engine.folder, columns.length === 1)) {
    await loading;
    loading = loadPart(part);
    // It is awaited before the next part; until then nobody else hears of it.
    loading.catch(() => {});
  }
  await loading;
  return { rows: written, warnings: [...warnings.values()] };
}

/**
 * As `loadRows`, of a file that begins with `partHeader` and that the engine may read.
 *
 * @param columns more than one: a line that is empty would not be read.
 */
export async function loadPart(
  engine: Engine,
  columns: readonly BulkColumn[],
  part: Part,
  use: (select: string) => Promise<number>,
): Promise<Loaded> {
  const warnings = new Map<string, ValueWarning>();
  const rows = await usePart(engine, columns.map(loadColumn), part, use, warnings);
  return { rows, warnings: [...warnings.values()] };
}

function loadColumn({ name, outputName, type }: BulkColumn, index: number): LoadColumn {
  const kept = storage(type);
  const field = `c${index}`;
  return { name, outputName, text: kept.plain ? field : `tm_unescape(${field})`, storage: kept };
}

/** @throws rows_differ when DuckDB read another number of rows than the part has. */
async function usePart(
  engine: Engine,
  columns: readonly LoadColumn[],
  part: Part,
  use: (select: string) => Promise<number>,
  warnings: Map<string, ValueWarning>,
): Promise<number> {
  const from = readPart(part, columns.length);
  const select = (value: (column: LoadColumn) => string) =>
    use(`select ${selectList(columns, value)} from ${from}`);
  const read = await select(strict).catch(async (error: unknown) => {
    if (!isValueError(error)) throw error;
    if (!columns.some(({ storage: { nulled } }) => nulled !== undefined)) throw error;
    await countChanges(engine, columns, from, warnings);
    return select(lenient);
  });
  expectRows('what DuckDB read of a file', part.rows, read);
  return read;
}

/**
 * All text, exactly as it stands between the tabs.
 *
 * DuckDB drops a line that lies in more than two of its buffers, without an error where it is the last; and left to
 * itself it takes sixteen times the longest line for each buffer. So a buffer has room for two of the longest line.
 */
function readPart({ path, longest, bytes }: Part, columns: number): string {
  const names = Array.from({ length: columns }, (_, index) => `c${index}: 'VARCHAR'`);
  if (columns === 1) names.push(`pad: 'VARCHAR'`);
  const buffer = longest * 2 <= bufferLength ? bufferLength : Math.min(longest * 2, bytes + 1);
  return `read_csv(${literal(path)}, columns = {${names.join(', ')}}, auto_detect = false, header = false,
    skip = 1, delim = '\t', quote = '', escape = '', comment = '', nullstr = '\\N', new_line = '\\n',
    max_line_size = ${Math.min(Math.max(longest, bufferLength / 4), buffer)}, buffer_size = ${buffer})`;
}

function selectList(columns: readonly LoadColumn[], value: (column: LoadColumn) => string): string {
  return columns.map((column) => `${value(column)} as ${identifier(column.outputName)}`).join(', ');
}

function strict({ text, storage }: LoadColumn): string {
  return storage.value(text);
}

function lenient({ text, storage: { value, nulled, reduced } }: LoadColumn): string {
  if (nulled === undefined) return value(text);
  if (reduced === undefined) return `try(${value(text)})`;
  return `case when ${reduced.when(text)} then try(${reduced.rest(text)}) else try(${value(text)}) end`;
}

async function countChanges(
  engine: Engine,
  columns: readonly LoadColumn[],
  from: string,
  warnings: Map<string, ValueWarning>,
): Promise<void> {
  const counts = columns.flatMap((column) => {
    const { nulled, reduced } = column.storage;
    if (nulled === undefined) return [];
    const lost = `${column.text} is not null and ${lenient(column)} is null`;
    const kept = `${reduced?.when(column.text)} and ${lenient(column)} is not null`;
    return [
      { column: column.name, rule: nulled, when: lost },
      ...(reduced === undefined ? [] : [{ column: column.name, rule: reduced.rule, when: kept }]),
    ];
  });
  const list = counts.map(({ when }, index) => `count(*) filter (where ${when})::integer as n${index}`);
  const [row = {}] = await engine.query(`select ${list.join(', ')} from ${from}`);
  counts.forEach(({ column, rule }, index) => {
    const count = Number(row[`n${index}`]);
    if (count === 0) return;
    const key = JSON.stringify([column, rule]);
    const before = warnings.get(key)?.count ?? 0;
    warnings.set(key, { column, rule, count: before + count });
  });
}
