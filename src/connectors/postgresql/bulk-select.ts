import type { Client } from 'pg';
import type { FixedExpression } from '../../conditions/index.ts';
import type { BulkColumn, BulkRead, BulkTable, WireFormat } from '../contract.ts';
import { declaredType } from './bulk-declared-type.ts';
import { rangeCondition } from './bulk-ranges.ts';
import type { Relation } from './bulk-table.ts';
import { trackingCondition } from './bulk-tracking.ts';
import { describeModel } from './model-query.ts';
import { identifier, literal } from './quote.ts';
import { keepsBytes, useOurPath } from './transaction.ts';
import { filterCondition } from './where.ts';

/** The COPY that reads what is asked for, in a transaction that has begun. */
export async function copyStatement(
  client: Client,
  relation: Relation,
  table: BulkTable,
  format: WireFormat,
  { tracking, range, filter, salt }: BulkRead,
): Promise<string> {
  if (table.columns.some(({ obfuscated }) => obfuscated)) {
    if (salt === undefined) throw new Error('obfuscated columns need a salt');
    // A parameter, and not part of any statement: those are logged and shown in pg_stat_activity.
    await client.query(`select pg_catalog.set_config('tidemark.salt', $1, true)`, [salt]);
  }
  const conditions = [
    ...(tracking === undefined ? [] : [await trackingCondition(client, relation.oid, tracking)]),
    ...(range === undefined ? [] : [rangeCondition(range)]),
  ];
  // Views, and policies, may call functions.
  await useOurPath(client);
  if (filter !== undefined) conditions.push(await filterOf(client, relation, table, filter));
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const options = format === 'pg-binary' ? ' (format binary)' : '';
  const values = table.columns
    .map((column) => valueOfColumn(column, keepsBytes(client) ? 'SQL_ASCII' : 'UTF8'))
    .join(', ');
  return `copy (select ${values} from ${relation.name}${where}) to stdout${options}`;
}

/** Filters may name fields that are not read. */
async function filterOf(
  client: Client,
  { name }: Relation,
  { schemaId }: BulkTable,
  filter: FixedExpression,
): Promise<string> {
  const { fields } = await describeModel(client, { table: schemaId });
  return filterCondition(client, name, fields, filter);
}

/** A cast to the type a column already has costs nothing: the planner drops it. */
function valueOfColumn({ name, type, obfuscated }: BulkColumn, encoding: string): string {
  const column = identifier(name);
  if (!obfuscated) return `${column}::${declaredType(name, type)}`;
  const salt = `(select pg_catalog.convert_to(pg_catalog.current_setting('tidemark.salt'), ${literal(encoding)}))`;
  return `pg_catalog.encode(pg_catalog.sha256(${salt} || pg_catalog.convert_to(${column}::text, ${literal(encoding)})), 'hex')`;
}
