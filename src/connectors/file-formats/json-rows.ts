import { escaped } from '../../lib/copy-text.ts';
import { notUtf8 } from './file-bytes.ts';
import { type JsonMember, JsonScan } from './json-scan.ts';
import { anyKind, type Kinds, kinds, kindsOf, timeKinds } from './text-kinds.ts';
import type { WarningCounts } from './warning-counts.ts';

export interface JsonColumn {
  name: string;
  possible: Kinds;
  /** Some value is an object or array: every value travels as it is written. */
  json: boolean;
}

/** What is in a file. */
export interface Found {
  columns: JsonColumn[];
  rows: number;
}

/**
 * The members of a file's objects, in the order in which they first appear, with what they may be.
 *
 * @param cut the file goes on: an object that ends anywhere is left out.
 */
export async function jsonColumns(chunks: AsyncIterable<Buffer>, name: string, cut = false): Promise<Found> {
  const columns = new Map<string, JsonColumn>();
  const scan = new JsonScan(name);
  let rows = 0;
  for await (const objects of scanned(chunks, scan, name, cut)) {
    for (const members of objects) {
      rows++;
      for (const member of members) learn(columns, member, scan);
    }
  }
  return { columns: [...columns.values()], rows };
}

function learn(columns: Map<string, JsonColumn>, { name, kind, raw }: JsonMember, scan: JsonScan): void {
  let column = columns.get(name);
  if (column === undefined) {
    column = { name, possible: anyKind, json: false };
    columns.set(name, column);
  }
  if (kind === 'null' || column.json) return;
  if (kind === 'nested') column.json = true;
  else if (column.possible !== 0) column.possible &= possibleOf(kind, raw, column.possible, scan);
}

/** A string is a time at most, a boolean nothing else, a number never a time. */
function possibleOf(kind: JsonMember['kind'], raw: string, among: Kinds, scan: JsonScan): Kinds {
  if (kind === 'boolean') return kinds.boolean;
  const bytes = Buffer.from(kind === 'string' ? scan.decoded(raw) : raw);
  const allowed = kind === 'string' ? timeKinds : kinds.bigint | kinds.numeric;
  return kindsOf(bytes, 0, bytes.length, among & allowed);
}

/** The objects as rows of COPY text with these columns; members that are none of them are left out. */
export async function* jsonRows(
  chunks: AsyncIterable<Buffer>,
  name: string,
  columns: readonly { name: string; json: boolean }[],
  warnings: WarningCounts,
): AsyncGenerator<Buffer> {
  const positions = new Map(columns.map((column, index) => [column.name, index]));
  const scan = new JsonScan(name);
  for await (const objects of scanned(chunks, scan, name)) {
    let text = '';
    for (const members of objects) {
      const row = Array<string>(columns.length).fill('\\N');
      const seen = new Set<string>();
      for (const { name: member, kind, raw } of members) {
        const position = positions.get(member);
        if (position === undefined) continue;
        if (seen.has(member)) warnings.add(member, 'duplicate_member_dropped');
        seen.add(member);
        row[position] =
          kind === 'null' ? '\\N' : columns[position]?.json ? escaped(raw) : plain(member, kind, raw);
      }
      text += `${row.join('\t')}\n`;
    }
    if (text !== '') yield Buffer.from(text);
  }

  function plain(column: string, kind: JsonMember['kind'], raw: string): string {
    if (kind === 'nested') return escaped(raw);
    if (kind !== 'string') return raw;
    let text = scan.decoded(raw);
    if (text.includes('\0')) {
      text = text.replaceAll('\0', '');
      warnings.add(column, 'nul_removed');
    }
    if (!text.isWellFormed()) {
      text = text.toWellFormed();
      warnings.add(column, 'lone_surrogate_replaced');
    }
    return escaped(text);
  }
}

async function* scanned(
  chunks: AsyncIterable<Buffer>,
  scan: JsonScan,
  name: string,
  cut = false,
): AsyncGenerator<Iterable<JsonMember[]>> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Buffer) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw notUtf8(name);
    }
  };
  for await (const chunk of chunks) yield scan.push(decode(chunk), false);
  if (!cut) yield scan.push(decode(), true);
}
