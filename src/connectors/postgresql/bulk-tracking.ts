import type { Client } from 'pg';
import { TidemarkError } from '../../errors.ts';
import type { BulkRead, BulkTable } from '../contract.ts';
import { findField } from './bulk-fields.ts';
import { findRelation } from './bulk-table.ts';
import { identifier, literal } from './quote.ts';
import { ask, withOurPath } from './transaction.ts';

const times = ['date', 'timestamp', 'timestamptz'];
const followed = [
  ...times,
  ...['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'uuid'],
];

/**
 * Of times, the greatest that has come, and of numbers the greatest finite one: a single row that is ahead of the others
 * would hide everything that comes after it. Such rows lie above the bound and are read each time.
 */
export async function greatest(
  client: Client,
  { schemaId }: BulkTable,
  field: string,
): Promise<string | undefined> {
  const relation = await findRelation(client, schemaId);
  const { type } = await trackedField(client, relation.oid, field);
  const column = identifier(field);
  const condition = await ordinary(client, type);
  const { rows } = await withOurPath(client, () =>
    client.query<{ value: string }>(
      `select ${column}::text as value from ${relation.name}
       where ${column} ${condition} order by ${column} desc limit 1`,
    ),
  );
  const value = rows[0]?.value;
  // Bytes that are no UTF-8: from there nothing can be asked for.
  return value?.includes('\uFFFD') ? undefined : value;
}

async function ordinary(client: Client, type: string): Promise<string> {
  if (times.includes(type)) return '<= pg_catalog.now()';
  if (type === 'float4' || type === 'float8') return `< 'Infinity'`;
  if (type !== 'numeric') return 'is not null';
  const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
  // Before PostgreSQL 14 numeric has no infinity. NaN is greater than it.
  return Number(rows[0]?.server_version_num) < 140_000 ? `< 'NaN'` : `< 'Infinity'`;
}

/** Whether a row that counts is at or above a bound of before. */
export async function reaches(
  client: Client,
  { schemaId }: BulkTable,
  field: string,
  from: string,
): Promise<boolean> {
  const relation = await findRelation(client, schemaId);
  const { type } = await trackedField(client, relation.oid, field);
  const column = identifier(field);
  const condition = await ordinary(client, type);
  const { rowCount } = await withOurPath(client, () =>
    client.query(
      `select from ${relation.name}
       where ${column} >= ${literal(from)} and ${column} ${condition} limit 1`,
    ),
  );
  return rowCount === 1;
}

/** @param parts oids of partitions. Those that this user may not read by themselves hold such rows for all we know. */
export async function holdsBelow(
  client: Client,
  parts: readonly string[],
  field: string,
  from: string,
): Promise<boolean> {
  const { rows } = await ask<{ name: string; readable: boolean }>(
    client,
    `select c.oid::regclass::text as name, has_table_privilege(c.oid, 'select') as readable
     from pg_class c where c.oid = any($1::oid[])`,
    [parts],
  );
  for (const { name, readable } of rows) {
    if (!readable) return true;
    const below = `select from ${name} where ${identifier(field)} < ${literal(from)} limit 1`;
    if ((await withOurPath(client, () => client.query(below))).rowCount === 1) return true;
  }
  return false;
}

/** Rows at or above `from` less the overlap, which only times have, and those without a value. */
export async function trackingCondition(
  client: Client,
  oid: number,
  { field, from, overlapSeconds }: NonNullable<BulkRead['tracking']>,
): Promise<string> {
  const { type, nullable } = await trackedField(client, oid, field);
  const column = identifier(field);
  let bound = literal(from);
  if (times.includes(type))
    bound = `(${bound}::${type} - pg_catalog.make_interval(secs => ${overlapSeconds}))::${type}`;
  return nullable ? `(${column} >= ${bound} or ${column} is null)` : `${column} >= ${bound}`;
}

async function trackedField(client: Client, oid: number, name: string) {
  const field = await findField(client, oid, name);
  if (field !== undefined && followed.includes(field.type)) return field;
  const reason =
    field === undefined
      ? `${name} is no field of the table any more`
      : `${name} is of type ${field.type}, whose order cannot be followed: choose a time, a number or a text`;
  throw new TidemarkError('invalid_field', { field: 'tracking_field', reason });
}
