import type { Connection } from 'mysql2/promise';
import { notFound } from '../../errors.ts';
import { splitTableId } from '../table-id.ts';
import { rowsOf } from './client.ts';
import { ownKeyName } from './own-key.ts';
import { literal } from './quote.ts';
import { type ReadType, readTypeOf } from './types.ts';

/** A table or view that one can select from. */
export interface Table {
  database: string;
  name: string;
  /** What the engine thinks; null for a view. */
  rows: string | null;
  created: string | null;
}

export interface Column extends ReadType {
  name: string;
  /** As information_schema writes it; `json` for MariaDB's checked longtext. */
  type: string;
  nullable: boolean;
  charset: string | null;
  /** What its values and their order depend on beside its type. */
  version: string;
}

export interface TableColumn extends Column {
  database: string;
  table: string;
  /** Position in the primary key, null outside it. */
  keyPosition: number | null;
}

export const systemDatabases = `('mysql', 'information_schema', 'performance_schema', 'sys')`;

/** @throws not_found when there is no such table, or none that this account can see. */
export async function findTable(connection: Connection, schemaId: string): Promise<Table> {
  const [found] = await rowsOf<Table>(
    connection,
    `select table_schema as \`database\`, table_name as name, table_rows as \`rows\`, create_time as created
     from information_schema.tables where table_schema = ? and table_name = ?`,
    splitTableId(schemaId),
  );
  if (found === undefined || found.name.startsWith('_tidemark_')) throw notFound('schema', schemaId);
  return found;
}

export async function columnsOf(
  connection: Connection,
  { database, name }: Pick<Table, 'database' | 'name'>,
): Promise<TableColumn[]> {
  return readColumns(connection, `c.table_schema = ${literal(database)} and c.table_name = ${literal(name)}`);
}

/** Of all tables and views: of one database, or of all but the server's own. */
export function allColumns(connection: Connection, database: string | undefined): Promise<TableColumn[]> {
  const own = String.raw`and c.table_name not like '\_tidemark\_%'`;
  return database
    ? readColumns(connection, `c.table_schema = ${literal(database)} ${own}`)
    : readColumns(connection, `c.table_schema not in ${systemDatabases} ${own}`);
}

interface ColumnRow {
  database: string;
  table: string;
  name: string;
  type: string;
  nullable: number;
  charset: string | null;
  version: string;
  keyPosition: number | null;
}

async function readColumns(connection: Connection, where: string): Promise<TableColumn[]> {
  const rows = await rowsOf<ColumnRow>(
    connection,
    `select c.table_schema as \`database\`, c.table_name as \`table\`, c.column_name as name, c.column_type as type,
       c.is_nullable = 'YES' as nullable, c.character_set_name as charset,
       concat_ws(' ', c.collation_name, md5(nullif(c.generation_expression, ''))) as version, k.seq_in_index as keyPosition
     from information_schema.columns c
     left join information_schema.statistics k on k.table_schema = c.table_schema and k.table_name = c.table_name
       and k.index_name = 'PRIMARY' and k.column_name = c.column_name
     where ${where} and c.column_name <> ${literal(ownKeyName)} order by c.table_schema, c.table_name, c.ordinal_position`,
  );
  const checks = await jsonChecks(connection, where);
  return rows.map((row) => {
    const { database, table, name } = row;
    const type = checks.has(JSON.stringify([database, table, name])) ? 'json' : row.type;
    const keyPosition = row.keyPosition === null ? null : Number(row.keyPosition);
    return { ...row, ...readTypeOf(type), type, keyPosition, nullable: Number(row.nullable) === 1 };
  });
}

/** MariaDB's json is longtext with a check; nothing else tells it. MySQL reads the union as a comment. */
async function jsonChecks(connection: Connection, where: string): Promise<Set<string>> {
  const rows = await rowsOf<{ database: string; table: string; clause: string }>(
    connection,
    `select '' as \`database\`, '' as \`table\`, '' as clause from dual where 1 = 0 /*M! union all
       select table_schema, table_name, check_clause from (
         select constraint_schema as table_schema, table_name, check_clause from information_schema.check_constraints
         where level = 'Column' and check_clause like 'json\\_valid(%'
       ) c where ${where} */`,
  );
  return new Set(
    rows.map(({ database, table, clause }) => {
      const name = clause.replace(/^json_valid\(`(.*)`\)$/s, '$1').replaceAll('``', '`');
      return JSON.stringify([database, table, name]);
    }),
  );
}
