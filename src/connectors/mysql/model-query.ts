import type { FieldPacket } from 'mysql2';
import type { Connection } from 'mysql2/promise';
import { messageOf, TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Field } from '../contract.ts';
import { dialects, mostKnown, noTable, subquery } from '../model-query/index.ts';
import { tableId } from '../table-id.ts';
import { rowsOf } from './client.ts';
import { type Column, columnsOf, findTable, systemDatabases } from './columns.ts';
import { isServerError } from './errors.ts';
import { qualified } from './quote.ts';
import { resultType } from './result-type.ts';
import { readTypeOf } from './types.ts';

/** What a model reads, as something that can stand behind FROM. */
export interface Relation {
  from: string;
  columns: Column[];
}

async function knownTables(connection: Connection): Promise<string[]> {
  const rows = await rowsOf<{ schema: string; name: string }>(
    connection,
    `select table_schema as \`schema\`, table_name as name from information_schema.tables
     where table_schema not in ${systemDatabases} and table_name not like '\\_tidemark\\_%' order by 1, 2 limit ${mostKnown}`,
  );
  return rows.map(({ schema, name }) => tableId(schema, name));
}

/**
 * Resolves a model's configuration: one of `table`, `view` (ids as in the catalogue) or `query`.
 *
 * The query is the user's, but it is a query: it must stand as a derived table in one statement, the connection
 * runs no second one, and everything happens in a read-only transaction.
 *
 * @throws invalid_field when nothing is chosen, invalid_query when it does not run.
 */
export async function describeModel(connection: Connection, configuration: JsonObject): Promise<Relation> {
  const { table, view, query } = configuration;
  const id = text(table) ?? text(view);
  if (id !== undefined) {
    const found = await findTable(connection, id).catch(async (error: unknown) => {
      const isMissing = error instanceof TidemarkError && error.key === 'not_found';
      throw isMissing ? noTable(id, await knownTables(connection)) : error;
    });
    return {
      from: `${qualified(found.database, found.name)} as model`,
      columns: await columnsOf(connection, found),
    };
  }
  const statement = text(query);
  if (statement === undefined) throw wrong('takes one of table, view or query');
  const from = `${subquery(statement, dialects.mysql)} as model`;
  return { from, columns: await describeQuery(connection, from) };
}

export function fieldOf({ name, field, type, carrier, nullable }: Column): Field {
  return { name, type: field, remoteType: type, carrier, nullable };
}

/** MariaDB's and MySQL's answer when time is up. */
const timeIsUp = [1969, 3024];

/** What the server says of a query is for the user. @param timeout milliseconds that it had; 0 for no limit. */
export function invalidQuery(cause: unknown, timeout = 0): TidemarkError {
  const ended = isServerError(cause) && timeIsUp.includes(cause.errno) && timeout > 0;
  const reason = ended ? `it takes longer than ${timeout / 1000} seconds` : inUsersText(messageOf(cause));
  return new TidemarkError('invalid_query', { reason }, { cause });
}

/** The query begins on the second line of what was sent, and what stands behind it is not the user's. */
function inUsersText(message: string): string {
  const [, said, near = '', line] = /^([\s\S]*) near '([\s\S]*)' at line (\d+)$/.exec(message) ?? [];
  if (said === undefined) return message;
  const own = near.replace(/\n?\) as (model|hashed)\b[\s\S]*$/, '');
  return own === '' ? `${said} at its end` : `${said} near '${own}' at line ${Number(line) - 1}`;
}

async function describeQuery(connection: Connection, from: string): Promise<Column[]> {
  let fields: FieldPacket[];
  try {
    [, fields] = await connection.query(`select * from ${from} limit 0`);
  } catch (cause) {
    // Whoever set the limit knows what it was.
    throw isServerError(cause) && timeIsUp.includes(cause.errno) ? cause : invalidQuery(cause);
  }
  return fields.map((field) => {
    const type = resultType(field);
    return { name: field.name, type, nullable: true, charset: null, version: '', ...readTypeOf(type) };
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

function wrong(reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: 'configuration', reason });
}
