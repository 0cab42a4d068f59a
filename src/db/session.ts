import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { CopyOut } from '../lib/pg-copy-out.ts';
import { type Database, poolOf } from './database.ts';
import { whileOwing } from './watch-sessions.ts';

type Chunks = AsyncIterable<string | Buffer> | Iterable<string | Buffer>;

/** A connection of the metadata database to itself: for temporary tables, settings and COPY. */
export interface Session {
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** @param statement `copy … from stdin`. @param chunks in its format. @returns how many rows there were. */
  copyIn(statement: string, chunks: Chunks): Promise<number>;
  /** @param statement `copy … to stdout`. Whoever leaves it early can only close the session. */
  copyOut(statement: string): AsyncIterable<Buffer>;
}

export interface OpenSession extends Session {
  /** Whatever was left in the session, temporary tables included, is gone. @param failure nobody knows its state. */
  close(failure?: Error): Promise<void>;
}

export async function openSession(db: Database): Promise<OpenSession> {
  const client = await poolOf(db).connect();
  let broken: Error | undefined;
  // COPY leaves nothing in a session.
  let asked = false;
  return {
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
      asked = true;
      return (await client.query<Row>(text, values)).rows;
    },
    async copyIn(statement, chunks) {
      const copy = client.query(copyFrom(statement));
      await pipeline(whileOwing(client, chunks), copy);
      return copy.rowCount;
    },
    async *copyOut(statement) {
      broken = new Error('a COPY was not read to its end');
      yield* client.query(new CopyOut(statement, false)) as AsyncIterable<Buffer>;
      broken = undefined;
    },
    async close(failure = broken) {
      try {
        if (failure === undefined && asked) await client.query('discard all');
      } catch (error) {
        client.release(error as Error);
        throw error;
      }
      client.release(failure);
    },
  };
}

/** Whatever `use` leaves in the session, temporary tables included, is gone afterwards. */
export async function withSession<Result>(
  db: Database,
  use: (session: Session) => Promise<Result>,
): Promise<Result> {
  const session = await openSession(db);
  let result: Result;
  try {
    result = await use(session);
  } catch (error) {
    await session.close(error as Error);
    throw error;
  }
  await session.close();
  return result;
}
