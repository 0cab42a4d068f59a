import { createHash } from 'node:crypto';
import type { BulkRange, BulkTable } from '../contract.ts';
import { type Engine, identifier, literal, type ReadColumn, storage } from '../duckdb-engine/index.ts';
import { columnsOf, qualified, type Relation } from './relations.ts';

/** Types whose order has no value beside it, and whose text is exact. */
const ordered =
  /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*|DATE|TIMESTAMP( WITH TIME ZONE)?|VARCHAR|UUID)$/;
/** Rows that are looked at for each range to find its bounds. */
const looks = 1000;
interface Bounds {
  column: string;
  from: string | null;
  below: string | null;
}

/**
 * Parts by the first column of the key: a row that stays is in the same part whatever else is written. (A rowid is not
 * a row's for good: checkpoints move rows up when others were deleted.) Row groups that have none of a part's values are skipped.
 */
export async function rangesOf(
  engine: Engine,
  relation: Relation,
  { primaryKey, estimatedRows = 0 }: BulkTable,
  rows: number,
): Promise<BulkRange[]> {
  const [name] = primaryKey;
  const column = (await columnsOf(engine, relation)).find((one) => one.name === name);
  const parts = Math.ceil(estimatedRows / rows);
  if (column === undefined || parts < 2 || !ordered.test(column.typeName)) return [];
  const key = identifier(column.name);
  const cuts = await engine.query<{ cut: string }>(
    `with sample as (select k, row_number() over (order by k) as n from
       (select ${key} as k from ${qualified(engine, relation)} where k is not null using sample reservoir(${parts * looks} rows)))
     select ${column.text('k')} as cut from (select distinct k from sample where n % ${looks} = 0
       and n < (select count(*) from sample)) order by k`,
  );
  return asRanges(
    column.name,
    cuts.map(({ cut }) => cut),
  );
}

function asRanges(column: string, cuts: readonly string[]): BulkRange[] {
  if (cuts.length === 0) return [];
  return [null, ...cuts].map((from, index) => {
    const bounds = { column, from, below: cuts[index] ?? null } satisfies Bounds;
    return { id: createHash('sha256').update(JSON.stringify(bounds)).digest('hex').slice(0, 16), bounds };
  });
}

/** The first part is open and has the NULLs, the last one is open. */
export function withinRange(columns: readonly ReadColumn[], { bounds }: BulkRange): string {
  const { column, from, below } = bounds as unknown as Bounds;
  const { typeName, carrier } = columns.find(({ name }) => name === column) ?? {
    typeName: 'VARCHAR',
    carrier: 'text',
  };
  const key = identifier(column);
  const value = (text: string) => `cast(${storage(carrier).value(literal(text))} as ${typeName})`;
  const conditions = [
    ...(from === null ? [] : [`${key} >= ${value(from)}`]),
    ...(below === null ? [] : [`${key} < ${value(below)}`]),
  ].join(' and ');
  return from === null ? `(${conditions} or ${key} is null)` : conditions;
}
