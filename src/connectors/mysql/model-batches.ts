import type { Connection } from 'mysql2/promise';
import { type Connect, rowsOf, withConnection } from './client.ts';
import { qualified } from './quote.ts';

/** Days after which nobody asks for a batch any more. */
const keptDays = 30;

const tableOf = (database: string): string => qualified(database, '_tidemark_batches');

/** What became of the batches that were written to the tables of a database. */
export async function ensureBatches(connection: Connection, database: string): Promise<void> {
  const table = tableOf(database);
  await connection.query(
    `create table if not exists ${table} (token char(36) character set ascii primary key, outcome varchar(9) character set ascii not null,
     written timestamp not null default current_timestamp, key (written)) engine = InnoDB`,
  );
  await connection.query(`delete from ${table} where written < now() - interval ${keptDays} day limit 10000`);
}

/** In the transaction of the batch. */
export async function noteCommitted(connection: Connection, database: string, token: string): Promise<void> {
  await connection.query(`insert into ${tableOf(database)} (token, outcome) values (?, 'committed')`, [
    token,
  ]);
}

/**
 * Waits for a transaction that is still open, and keeps one that has not noted its batch yet from ever doing so: its
 * place is taken.
 */
export function batchOutcome(
  connect: Connect,
  database: string,
  token: string,
): Promise<'committed' | 'aborted'> {
  const table = tableOf(database);
  return withConnection(connect, async (connection) => {
    await ensureBatches(connection, database);
    await connection.query(`insert ignore into ${table} (token, outcome) values (?, 'aborted')`, [token]);
    const [row] = await rowsOf<{ outcome: 'committed' | 'aborted' }>(
      connection,
      `select outcome from ${table} where token = ?`,
      [token],
    );
    return row?.outcome ?? 'aborted';
  });
}
