import type { Connection } from 'mysql2/promise';
import { TidemarkError } from '../../errors.ts';
import type { BulkRead, BulkTable } from '../contract.ts';
import { lasting, newestRows } from '../newest-rows.ts';
import { rowsOf } from './client.ts';
import { type Column, columnsOf, findTable } from './columns.ts';
import { identifier, literal, qualified } from './quote.ts';

/** As this server writes it, with the zone that it leaves out. */
const moment = /^(\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d+)?)?)(?:Z|\+00(?::?00)?)?$/;
const plainNumber = /^-?\d+(\.\d+)?$/;

const isTime = ({ rendering }: Column) => /^(date|datetime|timestamp)$/.test(rendering);

/**
 * Of times, the greatest that has come: a single 9999-12-31 would hide everything that comes after it. Such rows lie above the bound and are read each time.
 * @throws invalid_field when the field has no order that can be followed.
 */
export async function boundOf(
  connection: Connection,
  { schemaId }: BulkTable,
  field: string,
): Promise<string | undefined> {
  const { table, column } = await tracked(connection, schemaId, field);
  const name = identifier(field);
  const ordinary = isTime(column) ? ` where ${name} <= now()` : '';
  const [row] = await rowsOf<{ bound: string | null }>(
    connection,
    `select cast(max(${name}) as char) as bound from ${qualified(table.database, table.name)}${ordinary}`,
  );
  const bound = row?.bound ?? undefined;
  // Nothing can be reckoned from a date that is not in the calendar.
  return bound === undefined || (isTime(column) && /^0000|-00/.test(bound)) ? undefined : bound;
}

async function tracked(connection: Connection, schemaId: string, field: string) {
  const table = await findTable(connection, schemaId);
  const columns = await columnsOf(connection, table);
  const column = columns.find(({ name }) => name === field);
  if (column === undefined) throw wrong(`${schemaId} has no field ${field}`);
  if (!isTime(column) && column.rendering !== 'number') {
    throw wrong(`${field} is ${column.type}; only whole numbers, decimals, dates and times can be followed`);
  }
  return { table, column, columns };
}

/** Whether a row that counts is at or above a bound of before. */
export async function reaches(
  connection: Connection,
  { schemaId }: BulkTable,
  field: string,
  from: string,
): Promise<boolean> {
  const { table, column } = await tracked(connection, schemaId, field);
  const name = identifier(field);
  const ordinary = isTime(column) ? ` and ${name} <= now()` : '';
  const since = boundText(column, from, 0);
  const [row] = await rowsOf(
    connection,
    `select 1 from ${qualified(table.database, table.name)} where ${name} >= ${since}${ordinary} limit 1`,
  );
  return row !== undefined;
}

/** Keys whose text in a literal is the value. */
const written = /^(number|text|verbatim|date|datetime|timestamp)$/;

/** MariaDB makes no table anew in TRUNCATE: what came after it may be told by its rows alone. */
export async function newest(
  connection: Connection,
  { schemaId, primaryKey }: BulkTable,
  field: string,
  bound: string,
): Promise<string[][]> {
  const { table, column, columns } = await tracked(connection, schemaId, field);
  const key = primaryKey.flatMap((name) => columns.find((one) => one.name === name) ?? []);
  if (key.length < primaryKey.length || key.some(({ rendering }) => !written.test(rendering))) return [];
  const name = identifier(field);
  const list = [...key, column].map((one, index) => `cast(${identifier(one.name)} as char) as v${index}`);
  const rows = await rowsOf<Record<string, string | null>>(
    connection,
    `select ${list.join(', ')} from ${qualified(table.database, table.name)}
     where ${name} <= ${boundText(column, bound, 0)} order by ${name} desc limit ${newestRows}`,
  );
  return lasting(rows.map((row) => list.map((_, index) => row[`v${index}`] ?? null)));
}

/** Whether one of the rows is there, with its value of the field or a greater one. */
export async function stands(
  connection: Connection,
  { schemaId, primaryKey }: BulkTable,
  field: string,
  rows: readonly string[][],
): Promise<boolean> {
  const { table, column, columns } = await tracked(connection, schemaId, field);
  const any = rows.map((values) => {
    const same = primaryKey.map((name, index) => {
      const text = values[index] ?? '';
      const isNumber =
        columns.find((one) => one.name === name)?.rendering === 'number' && plainNumber.test(text);
      return `${identifier(name)} = ${isNumber ? text : literal(text)}`;
    });
    const at = boundText(column, values[primaryKey.length] ?? '', 0);
    return `(${[...same, `${identifier(field)} >= ${at}`].join(' and ')})`;
  });
  const [row] = await rowsOf(
    connection,
    `select 1 from ${qualified(table.database, table.name)} where ${any.join(' or ')} limit 1`,
  );
  return row !== undefined;
}

/** @throws invalid_field when `from` is not a value of the field. */
export function sinceBound(
  columns: readonly Column[],
  { field, from, overlapSeconds }: NonNullable<BulkRead['tracking']>,
): string {
  const column = columns.find(({ name }) => name === field);
  if (column === undefined) throw wrong(`the table has no field ${field} any more`);
  const name = identifier(field);
  return `(${name} >= ${boundText(column, from, overlapSeconds)} or ${name} is null)`;
}

function boundText(column: Column, from: string, overlapSeconds: number): string {
  const value = isTime(column) ? time(from, overlapSeconds) : plainNumber.test(from) ? from : undefined;
  if (value !== undefined) return value;
  throw wrong(`${from} is not a value of ${column.name}, which is ${column.type}`);
}

function time(from: string, overlapSeconds: number): string | undefined {
  const text = moment.exec(from)?.[1];
  if (text === undefined) return undefined;
  const value = `cast(${literal(text)} as datetime(6))`;
  // Before the calendar begins there is nothing left to look back at.
  return `coalesce(${value} - interval ${Math.ceil(overlapSeconds)} second, ${value})`;
}

function wrong(reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: 'tracking_field', reason });
}
