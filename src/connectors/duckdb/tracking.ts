import { TidemarkError } from '../../errors.ts';
import type { BulkRead } from '../contract.ts';
import { type Engine, identifier, literal, type ReadColumn, storage } from '../duckdb-engine/index.ts';
import { lasting, newestRows } from '../newest-rows.ts';
import { columnsOf, qualified, type Relation } from './relations.ts';

const times = /^(DATE|TIMESTAMP)/;
const followed =
  /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*|FLOAT|DOUBLE|DATE|TIMESTAMP.*|VARCHAR|UUID)$/;

/**
 * Of times, the greatest that has come, and of numbers the greatest finite one: a single row that is ahead of the others
 * would hide everything that comes after it. Such rows lie above the bound and are read each time.
 */
export async function greatest(
  engine: Engine,
  relation: Relation,
  field: string,
): Promise<string | undefined> {
  const { typeName, text } = trackedColumn(await columnsOf(engine, relation), field);
  const column = identifier(field);
  const [row] = await engine.query<{ value: string | null }>(
    `select ${text('greatest')} as value from
     (select max(${column}) as greatest from ${qualified(engine, relation)} where ${ordinary(column, typeName)})`,
  );
  // Whatever is finer than the text can say was cut off, and never rounded up.
  return row?.value?.replaceAll('\0', '') ?? undefined;
}

function ordinary(column: string, typeName: string): string {
  if (times.test(typeName)) return `${column} <= cast(now() as ${typeName})`;
  return /^(FLOAT|DOUBLE)$/.test(typeName) ? `isfinite(${column})` : `${column} is not null`;
}

/** Whether a row that counts is at or above a bound of before. */
export async function reaches(
  engine: Engine,
  relation: Relation,
  field: string,
  from: string,
): Promise<boolean> {
  const { typeName, carrier } = trackedColumn(await columnsOf(engine, relation), field);
  const column = identifier(field);
  const bound = storage(carrier).value(literal(from));
  const found = await engine.query(
    `select 1 from ${qualified(engine, relation)}
     where ${column} >= cast(${bound} as ${typeName}) and ${ordinary(column, typeName)} limit 1`,
  );
  return found.length > 0;
}

/** A file tells of no table whether it was truncated or made anew: what came after that may be told by its rows alone. */
export async function newest(
  engine: Engine,
  relation: Relation,
  key: readonly string[],
  field: string,
  bound: string,
): Promise<string[][]> {
  const columns = await columnsOf(engine, relation);
  const { typeName, carrier } = trackedColumn(columns, field);
  const read = [...key, field].flatMap((name) => columns.find((one) => one.name === name) ?? []);
  if (read.length <= key.length || read.some((one) => !followed.test(one.typeName))) return [];
  const at = identifier(field);
  const rows = await engine.query<Record<string, string | null>>(
    `select ${read.map(({ text }, index) => `${text(`v${index}`)} as t${index}`).join(', ')}
     from (select ${read.map(({ name }, index) => `${identifier(name)} as v${index}`).join(', ')} from ${qualified(engine, relation)}
       where ${at} <= cast(${storage(carrier).value(literal(bound))} as ${typeName}) order by ${at} desc limit ${newestRows})`,
  );
  return lasting(rows.map((row) => read.map((_, index) => row[`t${index}`]?.replaceAll('\0', '') ?? null)));
}

/** Whether one of the rows is there, with its value of the field or a greater one. */
export async function stands(
  engine: Engine,
  relation: Relation,
  key: readonly string[],
  field: string,
  rows: readonly string[][],
): Promise<boolean> {
  const columns = await columnsOf(engine, relation);
  const value = (name: string, text: string) => {
    const { typeName, carrier } = trackedColumn(columns, name);
    return `cast(${storage(carrier).value(literal(text))} as ${typeName})`;
  };
  const any = rows.map((values) => {
    const same = key.map((name, index) => `${identifier(name)} = ${value(name, values[index] ?? '')}`);
    const at = `${identifier(field)} >= ${value(field, values[key.length] ?? '')}`;
    return `(${[...same, at].join(' and ')})`;
  });
  const found = await engine.query(
    `select 1 from ${qualified(engine, relation)} where ${any.join(' or ')} limit 1`,
  );
  return found.length > 0;
}

/** Rows at or above `from` less the overlap, which only times have, and those without a value. */
export function trackingCondition(
  columns: readonly ReadColumn[],
  { field, from, overlapSeconds }: NonNullable<BulkRead['tracking']>,
): string {
  const { typeName, carrier } = trackedColumn(columns, field);
  const column = identifier(field);
  let bound = storage(carrier).value(literal(from));
  if (times.test(typeName)) bound = `${bound} - to_seconds(${overlapSeconds})`;
  return `(${column} >= cast(${bound} as ${typeName}) or ${column} is null)`;
}

function trackedColumn(columns: readonly ReadColumn[], name: string): ReadColumn {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined && followed.test(column.typeName)) return column;
  const reason =
    column === undefined
      ? `${name} is no field of the table any more`
      : `${name} is of type ${column.typeName}, whose order cannot be followed: choose a time, a number or a text`;
  throw new TidemarkError('invalid_field', { field: 'tracking_field', reason });
}
