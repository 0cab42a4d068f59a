import type { Connection } from 'mysql2/promise';
import type { JsonObject } from '../../lib/json.ts';
import type { BulkTarget } from '../contract.ts';
import { stateOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';
import { identifier } from './quote.ts';

/**
 * What Tidemark knows of the tables of a database, beside them. Entries belong to a token that stands in the table's
 * comment: a table that was dropped and recreated has none, and none of what was known of the old one.
 */
export interface LoadState {
  executionId: string;
  /** Of whoever goes on with it now. */
  claim: string;
  /** Digest of the columns, and of what is put into them. */
  shape: string;
}

const tokenPattern = /tidemark:([0-9a-f-]{36})/;

export const commentOf = (token: string): string => `tidemark:${token}`;
export const tokenOf = (comment: string): string | undefined => tokenPattern.exec(comment)?.[1];

/** Creates the database and its state table where they are missing. */
export async function ensureState(connection: Connection, schema: string): Promise<void> {
  const [database] = await rowsOf(
    connection,
    'select 1 from information_schema.schemata where schema_name = ?',
    [schema],
  );
  // CREATE … IF NOT EXISTS asks for the right to create even when there is nothing to do.
  if (database === undefined) {
    await connection.query(`create database if not exists ${identifier(schema)}`);
  }
  if (await hasState(connection, schema)) return;
  await connection.query(
    `create table if not exists ${stateOf(schema)} (token char(36) character set ascii, entry varbinary(700), value longtext
     character set utf8mb4, primary key (token, entry)) engine = InnoDB`,
  );
}

export async function hasState(connection: Connection, schema: string): Promise<boolean> {
  const rows = await rowsOf(
    connection,
    `select 1 from information_schema.tables where table_schema = ? and table_name = '_tidemark_state'`,
    [schema],
  );
  return rows.length > 0;
}

/** @param locking for the rest of the transaction. */
export async function readEntry<Value>(
  connection: Connection,
  schema: string,
  token: string,
  entry: string,
  locking = false,
): Promise<Value | undefined> {
  const [row] = await rowsOf<{ value: string }>(
    connection,
    `select value from ${stateOf(schema)} where token = ? and entry = ?${locking ? ' lock in share mode' : ''}`,
    [token, entry],
  );
  return row === undefined ? undefined : (JSON.parse(row.value) as Value);
}

export async function writeEntry(
  connection: Connection,
  schema: string,
  token: string,
  entry: string,
  value: JsonObject | LoadState | string[],
): Promise<void> {
  await connection.query(
    `insert into ${stateOf(schema)} (token, entry, value) values (?, ?, ?) on duplicate key update value = values(value)`,
    [token, entry, JSON.stringify(value)],
  );
}

/** @param but the entries to keep. */
export async function dropEntries(
  connection: Connection,
  schema: string,
  token: string,
  but: readonly string[] = [''],
): Promise<void> {
  await connection.query(`delete from ${stateOf(schema)} where token = ? and entry not in (?)`, [token, but]);
}

/** Ranges that were stored, with their rows. */
export async function storedRanges(
  connection: Connection,
  schema: string,
  token: string,
): Promise<Map<string, number>> {
  const rows = await rowsOf<{ id: string; rows: string }>(
    connection,
    `select cast(substr(entry, 7) as char character set utf8mb4) as id, value as \`rows\` from ${stateOf(schema)}
     where token = ? and entry like 'range %'`,
    [token],
  );
  return new Map(rows.map(({ id, rows: count }) => [id, Number(count)]));
}

/** In the transaction of its rows. @throws a duplicate when the range is there. */
export async function beginRange(
  connection: Connection,
  schema: string,
  token: string,
  id: string,
): Promise<void> {
  const entry = `range ${id}`;
  await connection.query(`insert into ${stateOf(schema)} (token, entry) values (?, ?)`, [token, entry]);
}

export async function endRange(
  connection: Connection,
  schema: string,
  token: string,
  id: string,
  rows: number,
): Promise<void> {
  await connection.query(`update ${stateOf(schema)} set value = ? where token = ? and entry = ?`, [
    String(rows),
    token,
    `range ${id}`,
  ]);
}

/** The position that was committed with the rows of the live table; none where it was recreated since. */
export async function positionOf(
  connection: Connection,
  { schema }: BulkTarget,
  live: { token?: string | undefined } | undefined,
): Promise<JsonObject | undefined> {
  if (live?.token === undefined || !(await hasState(connection, schema))) return undefined;
  return readEntry<JsonObject>(connection, schema, live.token, 'position');
}
