import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { type Database, poolOf } from './database.ts';

/** A connection of the metadata database to itself: for temporary tables, settings and COPY. */
export interface Session {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** @param statement `copy … from stdin`. @param lines whole lines in COPY's text format. */
  copyIn(statement: string, lines: AsyncIterable<string>): Promise<void>;
}

/** Whatever `use` leaves in the session, temporary tables included, is gone afterwards. */
export async function withSession<Result>(
  db: Database,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const client = await poolOf(db).connect();
  let failure: Error | undefined;
  try {
    const result = await use({
      query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
        (await client.query<Row>(text, values)).rows,
      copyIn: (statement, lines) => pipeline(Readable.from(lines), client.query(copyFrom(statement))),
    });
    await client.query('discard all');
    return result;
  } catch (error) {
    failure = error as Error;
    throw error;
  } finally {
    // After a failure nobody knows what state it is in.
    client.release(failure);
  }
}
