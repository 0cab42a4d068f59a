import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { type Database, maintainPartitions, openDatabase } from '../../src/db/index.ts';

/** A database of its own on the run's server, empty unless a template is named. */
export interface TestDatabase extends AsyncDisposable {
  url: string;
  /** Runs statements, returns the last one's rows. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Runs a statement in a transaction that stays open until it is released, to keep others waiting. */
  hold(text: string): Promise<{ release(): Promise<void> }>;
}

let counter = 0;

export async function createDatabase(template = 'template0'): Promise<TestDatabase> {
  const name = `test_${process.pid}_${Date.now()}_${counter++}`;
  const admin = new pg.Client(inject('postgres').url);
  await admin.connect();
  await admin.query(`create database ${name} template ${template}`);
  await admin.end();
  const url = new URL(inject('postgres').url);
  url.pathname = `/${name}`;
  const database = databaseAt(url.href);
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      const client = new pg.Client(inject('postgres').url);
      await client.connect();
      await client.query(`drop database ${name} with (force)`);
      await client.end();
    },
  };
}

/** One that is there already, and stays. */
export function databaseAt(url: string): TestDatabase {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  return {
    url,
    async query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]) {
      const result = await pool.query<Row>(text, values);
      // Several statements give several results; the type of pg's query does not say so.
      const last = Array.isArray(result) ? (result.at(-1) as pg.QueryResult<Row>) : result;
      return last.rows;
    },
    async hold(text) {
      const client = await pool.connect();
      await client.query('begin');
      await client.query(text);
      return {
        async release() {
          await client.query('rollback');
          client.release();
        },
      };
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

export interface MetadataDatabase extends TestDatabase {
  db: Database;
}

/** A migrated metadata database with its partitions, dropped when the test or file that asked is done. */
export async function createMetadataDatabase(): Promise<MetadataDatabase> {
  const database = await createDatabase(inject('postgres').template);
  const handle = openDatabase(database.url);
  await maintainPartitions(handle.db, 48 * 3_600_000);
  return {
    ...database,
    db: handle.db,
    async [Symbol.asyncDispose]() {
      await handle.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** For use inside a test: disposes when the test is over. */
export async function testDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  onTestFinished(() => database[Symbol.asyncDispose]());
  return database;
}
