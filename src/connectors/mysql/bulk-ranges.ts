import type { Connection } from 'mysql2/promise';
import type { BulkRange, BulkTable } from '../contract.ts';
import { rowsOf } from './client.ts';
import { columnsOf, findTable } from './columns.ts';
import { identifier, literal, qualified } from './quote.ts';

/** Types whose text in a literal is compared as the column is. */
const walked = /^(text|verbatim|date|datetime|timestamp)$/;

/**
 * Parts by the first column of the key. Whole numbers are halved until the server's estimate from its index says that
 * a part is small enough, which reads no rows; other keys are counted off along the index.
 */
export async function rangesOf(connection: Connection, table: BulkTable, rows: number): Promise<BulkRange[]> {
  const [name] = table.primaryKey;
  if (name === undefined || (table.estimatedRows ?? 0) <= rows) return [];
  const found = await findTable(connection, table.schemaId);
  const column = (await columnsOf(connection, found)).find((one) => one.name === name);
  if (column === undefined) return [];
  const scope = { from: qualified(found.database, found.name), key: identifier(name) };
  if (/^(smallint|integer|bigint|numeric\(20,0\))$/.test(column.carrier)) {
    return asRanges(name, await halved(connection, scope, rows), '');
  }
  if (!walked.test(column.rendering)) return [];
  return asRanges(name, await countedOff(connection, scope, rows), 'text');
}

export function withinRange({ bounds }: BulkRange): string {
  const { column, kind, from, below } = bounds as Record<string, string | null>;
  const key = identifier(column ?? '');
  const value = (text: string) => (kind === 'text' ? literal(text) : BigInt(text).toString());
  const conditions = [
    ...(typeof from === 'string' ? [`${key} >= ${value(from)}`] : []),
    ...(typeof below === 'string' ? [`${key} < ${value(below)}`] : []),
  ];
  return conditions.join(' and ') || 'true';
}

/** The first and last part are open: rows beyond what was seen belong to them. */
function asRanges(column: string, cuts: readonly string[], kind: string): BulkRange[] {
  if (cuts.length === 0) return [];
  return [null, ...cuts].map((from, index) => ({
    id: String(index),
    bounds: { column, kind, from, below: cuts[index] ?? null },
  }));
}

interface Scope {
  from: string;
  key: string;
}

async function halved(connection: Connection, { from, key }: Scope, rows: number): Promise<string[]> {
  const [ends] = await rowsOf<{ low: string; high: string }>(
    connection,
    `select cast(min(${key}) as char) as low, cast(max(${key}) as char) as high from ${from}`,
  );
  if (ends === undefined || ends.low === null) return [];
  const cuts: string[] = [];
  const split = async (low: bigint, end: bigint): Promise<void> => {
    if (end - low < 2n) return;
    const [plan] = await rowsOf<{ rows: string }>(
      connection,
      `explain select * from ${from} force index (primary) where ${key} >= ${low} and ${key} < ${end}`,
    );
    if (Number(plan?.rows ?? 0) <= rows * 1.3) return;
    const middle = low + (end - low) / 2n;
    await split(low, middle);
    cuts.push(middle.toString());
    await split(middle, end);
  };
  await split(BigInt(ends.low), BigInt(ends.high) + 1n);
  return cuts;
}

async function countedOff(connection: Connection, { from, key }: Scope, rows: number): Promise<string[]> {
  const cuts: string[] = [];
  for (;;) {
    const after = cuts.at(-1);
    const where = after === undefined ? '' : `where ${key} > ${literal(after)}`;
    const [row] = await rowsOf<{ cut: string }>(
      connection,
      `select cast(${key} as char) as cut from ${from} ${where} order by ${key} limit ${Math.max(1, Math.trunc(rows))}, 1`,
    );
    if (row === undefined) return cuts;
    cuts.push(row.cut);
  }
}
