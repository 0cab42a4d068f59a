import { countRows, wholeRows } from './copy-text-rows.ts';
import { type CsvDialect, detectDialect } from './csv-dialect.ts';
import { CsvToCopyText } from './csv-to-copy-text.ts';
import { textBytes } from './file-bytes.ts';
import { KindGuess } from './guess-kinds.ts';
import { type Found, type JsonColumn, jsonColumns, jsonRows } from './json-rows.ts';
import { anyKind, typeOf } from './text-kinds.ts';
import type { WarningCounts } from './warning-counts.ts';

/** A file of text: CSV with any delimiter, or JSON objects one after another. */
export interface TextFile {
  /** What it is called in a message. */
  name: string;
  format: 'csv' | 'json';
  /** From its beginning, each time. */
  open(): AsyncIterable<Buffer>;
  /** Whether CSV begins with names. Undefined: find out. */
  header?: boolean;
  skipLines?: number;
  /** Between two fields. Undefined: find out. */
  delimiter?: string | undefined;
  /** Around fields. Undefined: `"`. Empty: nothing is. */
  quote?: string | undefined;
  /** Before a quote within a quoted field. Undefined: it is doubled. */
  escape?: string | undefined;
  /** Undefined: UTF-8, or UTF-16 where the bytes show it. */
  encoding?: string | undefined;
  /** It ends anywhere: only the beginning of a longer one is at hand. */
  cut?: boolean;
}

export interface TextColumn extends JsonColumn {
  type: string;
}

/** Bytes that tell a CSV file's dialect. */
const headSize = 256 * 1024;
const longestLine = 64 * 1024 * 1024;

/** The columns of a file, with the types that every value in it fits. Reads the whole of it. Empty: no columns. */
export async function textColumns(file: TextFile): Promise<{ columns: TextColumn[]; rows: number }> {
  const { columns, rows } = file.format === 'json' ? await jsonColumnsOf(file) : await csvColumns(file);
  return { columns: columns.map((column) => ({ ...column, type: columnType(column) })), rows };
}

export function columnType({ possible, json }: Pick<JsonColumn, 'possible' | 'json'>): string {
  return json ? 'json' : typeOf(possible);
}

/** The rows as COPY text, in whole rows, with the file's own columns. */
export async function* textRows(
  file: TextFile,
  columns: readonly { name: string; json: boolean }[],
  warnings: WarningCounts,
): AsyncGenerator<Buffer> {
  if (file.format === 'json') {
    yield* jsonRows(bytesOf(file), file.name, columns, warnings);
    return;
  }
  yield* csvRows(file, await dialectOf(file), warnings);
}

/** What the columns of a CSV file are called. */
export async function csvNames(file: TextFile): Promise<string[]> {
  return (await dialectOf(file)).names;
}

function jsonColumnsOf(file: TextFile): Promise<Found> {
  return jsonColumns(bytesOf(file), file.name, file.cut);
}

function bytesOf({ open, name, format, skipLines = 0, encoding, cut }: TextFile): AsyncGenerator<Buffer> {
  return textBytes(open(), name, { skipLines: format === 'json' ? 0 : skipLines, encoding, cut });
}

async function csvColumns(file: TextFile): Promise<Found> {
  const dialect = await dialectOf(file);
  const guess = new KindGuess(dialect.names.length);
  let count = 0;
  for await (const rows of csvRows(file, dialect)) {
    guess.push(rows);
    count += countRows(rows);
  }
  const { possible } = guess;
  const columns = dialect.names.map((name, index) => ({
    name,
    possible: possible[index] ?? anyKind,
    json: false,
  }));
  return { columns, rows: count };
}

async function* csvRows(
  file: TextFile,
  dialect: CsvDialect,
  warnings?: WarningCounts,
): AsyncGenerator<Buffer> {
  const { layout, header, names } = dialect;
  const scan = new CsvToCopyText({ ...layout, fields: names.length });
  const chunks = async function* () {
    for await (const chunk of bytesOf(file)) yield scan.push(chunk);
    if (file.cut !== true) yield scan.end();
  };
  let skip = header;
  for await (const rows of wholeRows(chunks(), file.name, { cut: file.cut })) {
    const from = skip ? rows.indexOf(0x0a) + 1 : 0;
    skip = false;
    if (from < rows.length) yield rows.subarray(from);
  }
  for (const [field, count] of scan.nuls) warnings?.add(names[field] ?? '', 'nul_removed', count);
}

async function dialectOf(file: TextFile): Promise<CsvDialect> {
  const head: Buffer[] = [];
  let size = 0;
  let hasLine = false;
  let isWhole = file.cut !== true;
  for await (const chunk of bytesOf(file)) {
    head.push(chunk);
    size += chunk.length;
    hasLine ||= chunk.includes(0x0a) || chunk.includes(0x0d);
    // A first line of any length shows all columns.
    if (size < headSize || (!hasLine && size < longestLine)) continue;
    isWhole = false;
    break;
  }
  return detectDialect(Buffer.concat(head), isWhole, file);
}
