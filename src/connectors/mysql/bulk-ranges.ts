import type { Connection } from 'mysql2/promise';
import type { BulkRange, BulkTable } from '../contract.ts';
import { digest } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { columnsOf, findTable, type TableColumn } from './columns.ts';
import { identifier, literal, qualified } from './quote.ts';

/** Types whose text in a literal is compared as the column is. */
const walked = /^(text|verbatim|date|datetime|timestamp)$/;

/** Cuts beyond those that even values would need: a stray value costs one for each time it is halved away. */
const spareCuts = 128;

/**
 * Parts by the first column of the key, where an index begins with it: without one every part would read the whole
 * table. Whole numbers are halved until the server's estimate from its index says that a part is small enough, which
 * reads no rows; other keys are counted off along the index.
 */
export async function rangesOf(connection: Connection, table: BulkTable, rows: number): Promise<BulkRange[]> {
  const [name] = table.primaryKey;
  const estimate = table.estimatedRows ?? 0;
  if (name === undefined || estimate <= rows) return [];
  const found = await findTable(connection, table.schemaId);
  const column = (await columnsOf(connection, found)).find((one) => one.name === name);
  if (column === undefined) return [];
  const whole = /^(smallint|integer|bigint|numeric\(20,0\))$/.test(column.carrier);
  if (!whole && !walked.test(column.rendering)) return [];
  const index = await indexOf(connection, column);
  if (index === undefined) return [];
  const scope = {
    from: `${qualified(found.database, found.name)} force index (${identifier(index)})`,
    key: identifier(name),
    most: 2 * Math.ceil(estimate / rows) + spareCuts,
  };
  const cuts = await (whole ? halved : countedOff)(connection, scope, rows);
  return asRanges(column, cuts, whole ? '' : 'text');
}

/** One that can be told to seek by the column: neither hidden from the planner nor over a beginning of the values. */
async function indexOf(
  connection: Connection,
  { database, table, name }: TableColumn,
): Promise<string | undefined> {
  const [index] = await rowsOf<{ name: string }>(
    connection,
    `select index_name as name from information_schema.statistics
     where table_schema = ? and table_name = ? and column_name = ? and seq_in_index = 1 and sub_part is null
       and index_type = 'BTREE' /*!80000 and is_visible = 'YES' */ /*M!100600 and ignored = 'NO' */
     order by index_name = 'PRIMARY' desc, index_name limit 1`,
    [database, table, name],
  );
  return index?.name;
}

export function withinRange({ bounds }: BulkRange): string {
  const { column, kind, from, below, nulls } = bounds as unknown as Bounds;
  const key = identifier(column);
  const value = (text: string) => (kind === 'text' ? literal(text) : BigInt(text).toString());
  const conditions = [
    ...(from === null ? [] : [`${key} >= ${value(from)}`]),
    ...(below === null ? [] : [`${key} < ${value(below)}`]),
  ].join(' and ');
  return nulls ? `(${conditions} or ${key} is null)` : conditions;
}

interface Bounds {
  column: string;
  kind: string;
  from: string | null;
  below: string | null;
  /** NULLs are in this range. */
  nulls: boolean;
}

/**
 * The first and last part are open: rows beyond what was seen belong to them. The id names the bounds: ranges of
 * another division of the table have other ids.
 */
function asRanges({ name, nullable }: TableColumn, cuts: readonly string[], kind: string): BulkRange[] {
  if (cuts.length === 0) return [];
  return [null, ...cuts].map((from, index) => {
    const nulls = from === null && nullable;
    const bounds = { column: name, kind, from, below: cuts[index] ?? null, nulls };
    return { id: digest(JSON.stringify(bounds)), bounds };
  });
}

interface Scope {
  /** With the index to go by. */
  from: string;
  key: string;
  /** Cuts to make: what is still too long then stays so. */
  most: number;
}

async function halved(connection: Connection, { from, key, most }: Scope, rows: number): Promise<string[]> {
  const [ends] = await rowsOf<{ low: string; high: string }>(
    connection,
    `select cast(min(${key}) as char) as low, cast(max(${key}) as char) as high from ${from}`,
  );
  if (ends === undefined || ends.low === null) return [];
  const cuts: bigint[] = [];
  const parts: [low: bigint, end: bigint][] = [[BigInt(ends.low), BigInt(ends.high) + 1n]];
  for (const [low, end] of parts) {
    if (cuts.length >= most) break;
    if (end - low < 2n) continue;
    const [plan] = await rowsOf<{ rows: string }>(
      connection,
      `explain select * from ${from} where ${key} >= ${low} and ${key} < ${end}`,
    );
    if (Number(plan?.rows ?? 0) <= rows * 1.3) continue;
    const middle = low + (end - low) / 2n;
    cuts.push(middle);
    parts.push([low, middle], [middle, end]);
  }
  return cuts.sort((a, b) => (a < b ? -1 : 1)).map(String);
}

async function countedOff(
  connection: Connection,
  { from, key, most }: Scope,
  rows: number,
): Promise<string[]> {
  const cuts: string[] = [];
  while (cuts.length < most) {
    const after = cuts.at(-1);
    const where = after === undefined ? `${key} is not null` : `${key} > ${literal(after)}`;
    const [row] = await rowsOf<{ cut: string }>(
      connection,
      `select cast(${key} as char) as cut from ${from} where ${where} order by ${key} limit ${Math.max(1, Math.trunc(rows))}, 1`,
    );
    if (row === undefined) break;
    cuts.push(row.cut);
  }
  return cuts;
}
