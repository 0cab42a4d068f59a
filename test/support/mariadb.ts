import mysql, { type RowDataPacket } from 'mysql2/promise';
import { describe, inject, onTestFinished, test } from 'vitest';
import { mariadbAccount, mariadbIsInstalled, mariadbPassword } from './mariadb-server.ts';

/** A database of its own on the run's MariaDB, which the first call of the run starts. */
export interface MariadbDatabase extends AsyncDisposable {
  name: string;
  port: number;
  /** Configuration of a `mysql` connection to it. */
  configuration: {
    hostname: string;
    port: number;
    account: string;
    passwd: string;
    dbname: string;
    ssl: boolean;
  };
  /** Runs statements, returns the last one's rows; dates, decimals and bigints as text. */
  query<Row extends object = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
}

/**
 * `describe` for what needs a real MariaDB. Where `mariadb-server` is not installed it is skipped with a warning,
 * except where CI or TIDEMARK_TEST_MARIADB=required says that it has to be there.
 */
export function describeMariadb(name: string, body: () => void): void {
  if (mariadbIsInstalled) {
    describe(name, body);
  } else if (process.env.CI === 'true' || process.env.TIDEMARK_TEST_MARIADB === 'required') {
    test(`${name}: mariadb-server is installed`, () => {
      throw new Error('MariaDB is required here: apt-get install mariadb-server');
    });
  } else {
    console.warn(`SKIPPED, for want of MariaDB (apt-get install mariadb-server): ${name}`);
    describe.skip(name, body);
  }
}

let counter = 0;

/** @param port of a server of the test's own. */
export async function createMariadbDatabase(port?: number): Promise<MariadbDatabase> {
  port ??= await serverPort();
  const name = `test_${process.pid}_${Date.now()}_${counter++}`;
  const admin = await mysql.createConnection(sessionOptions(port));
  await admin.query(`set session transaction read write; create database ${name}`);
  await admin.end();
  // One session, whose settings stay, and another one when the server was restarted.
  const connection = mysql.createPool({ ...sessionOptions(port), database: name, connectionLimit: 1 });
  return {
    name,
    port,
    configuration: {
      hostname: '127.0.0.1',
      port,
      account: mariadbAccount,
      passwd: mariadbPassword,
      dbname: name,
      ssl: false,
    },
    async query<Row extends object>(text: string, values?: unknown[]) {
      const [result, fields] = await connection.query<RowDataPacket[]>(text, values);
      // Several statements give several results, and a list of fields for each.
      const several = fields?.some((one) => one === undefined || Array.isArray(one));
      const last: unknown = several ? result.at(-1) : result;
      return (Array.isArray(last) ? last : []) as Row[];
    },
    async [Symbol.asyncDispose]() {
      await connection.query(`drop database ${name}`);
      await connection.end();
    },
  };
}

/** For use inside a test: disposes when the test is over. */
export async function mariadbDatabase(port?: number): Promise<MariadbDatabase> {
  const database = await createMariadbDatabase(port);
  onTestFinished(() => database[Symbol.asyncDispose]());
  return database;
}

async function serverPort(): Promise<number> {
  const response = await fetch(inject('mariadb').door);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return Number(text);
}

/** Of a session that says dates, decimals and bigints as text. */
export const sessionOptions = (port: number) => ({
  host: '127.0.0.1',
  port,
  user: mariadbAccount,
  password: mariadbPassword,
  multipleStatements: true,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  charset: 'utf8mb4',
  timezone: 'Z',
});
