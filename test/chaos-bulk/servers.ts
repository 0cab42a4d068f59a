import mysql from 'mysql2/promise';
import { createDatabase, databaseAt, type TestDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import { type MariadbDatabase as OwnDatabase, sessionOptions } from '../support/mariadb.ts';
import { type MariadbServer, mariadbPassword, startMariadb } from '../support/mariadb-server.ts';
import { startPgbouncer } from '../support/pgbouncer.ts';
import { startS3, type TestS3 } from '../support/s3.ts';
import { settleMariadb } from './sessions.ts';

/** A session that reads and writes the same whatever the database or role is told to set. */
const plain = [
  'datestyle=ISO',
  'intervalstyle=postgres',
  'bytea_output=hex',
  'extra_float_digits=3',
  'timezone=UTC',
  'standard_conforming_strings=on',
  'search_path=public',
  'row_security=on',
  'statement_timeout=0',
  'lock_timeout=0',
  'idle_in_transaction_session_timeout=0',
  'default_transaction_read_only=off',
  'array_nulls=on',
  'quote_all_identifiers=off',
  'client_min_messages=warning',
];

export interface PostgresqlDatabase {
  name: string;
  configuration: ReturnType<typeof postgresqlConfiguration>;
  query: TestDatabase['query'];
  /** Ends the sessions of syncs. */
  terminate(): Promise<void>;
  /** Emptied, for the next world. */
  giveBack(): Promise<void>;
}

export interface MariadbDatabase extends Pick<OwnDatabase, 'name' | 'configuration'> {
  /** By a session of the test's own, whose settings are the server's first ones. */
  query<Row extends object = Record<string, string>>(text: string): Promise<Row[]>;
  terminate(): Promise<void>;
  giveBack(): Promise<void>;
}

/** The account of the syncs: without rights over the server, so that `init_connect` is for it, too. */
const account = 'chaos';

/** What all worlds of a run share. Each starts when the first world needs it, and ends with the run. */
export class Servers implements AsyncDisposable {
  readonly #free: PostgresqlDatabase[] = [];
  readonly #made: AsyncDisposable[] = [];
  #s3: Promise<TestS3> | undefined;
  #mariadb: Promise<{ server: MariadbServer; session: mysql.Connection }> | undefined;
  readonly #pgbouncers = new Map<string, Promise<number>>();
  #databases = 0;

  async postgresql(): Promise<PostgresqlDatabase> {
    return this.#free.pop() ?? this.#createDatabase();
  }

  async #createDatabase(): Promise<PostgresqlDatabase> {
    const created = await createDatabase();
    const url = new URL(created.url);
    url.searchParams.set('options', plain.map((setting) => `-c ${setting}`).join(' '));
    const { query, ...handle } = databaseAt(url.href);
    this.#made.push(handle, created);
    const configuration = postgresqlConfiguration(created.url);
    const name = configuration.database;
    const database: PostgresqlDatabase = {
      name,
      configuration,
      query,
      terminate: async () =>
        void (await query(
          `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'tidemark%'`,
        )),
      giveBack: async () => {
        await query(
          `alter database ${name} reset all; alter role current_user in database ${name} reset all;
           drop schema if exists copy cascade; drop schema if exists public cascade; create schema public`,
        );
        this.#free.push(database);
      },
    };
    return database;
  }

  /** Its port. */
  pgbouncer(mode: 'session' | 'transaction'): Promise<number> {
    const port = this.#pgbouncers.get(mode) ?? startPgbouncer(mode, mode === 'session' ? 20 : 4);
    this.#pgbouncers.set(mode, port);
    return port;
  }

  s3(): Promise<TestS3> {
    this.#s3 ??= startS3();
    return this.#s3;
  }

  async mariadb(): Promise<MariadbDatabase> {
    const { server, session } = await this.#odd();
    const name = `world_${this.#databases++}`;
    await session.query(`create database ${name}`);
    async function query<Row extends object>(text: string) {
      const [result] = await session.query(`use ${name}; ${text}`);
      const last: unknown = (result as unknown[]).at(-1);
      return (Array.isArray(last) ? last : []) as Row[];
    }
    return {
      name,
      configuration: {
        hostname: '127.0.0.1',
        port: server.port,
        account,
        passwd: mariadbPassword,
        dbname: name,
        ssl: false,
      },
      query,
      async terminate() {
        const running = await query<{ id: string }>(
          `select id from information_schema.processlist where user = '${account}' and db = '${name}'`,
        );
        // Those that have ended meanwhile are no longer there to be ended.
        for (const { id } of running) await query(`kill ${id}`).catch(() => {});
      },
      async giveBack() {
        await settleMariadb(query);
        await session.query(`drop database ${name}`);
      },
    };
  }

  /** One of the run's own: worlds set what concerns a whole server. */
  #odd() {
    this.#mariadb ??= (async () => {
      const server = await startMariadb({ 'innodb-log-file-size': '16M', 'innodb-buffer-pool-size': '64M' });
      const session = await mysql.createConnection(sessionOptions(server.port));
      await session.query(
        `create user ${account}@'%' identified by '${mariadbPassword}';
         grant select, insert, update, delete, create, drop, references, index, alter, create temporary tables,
           lock tables, create view, show view, trigger on *.* to ${account}@'%';
         set names utf8mb4 collate utf8mb4_general_ci, time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES'`,
      );
      return { server, session };
    })();
    // The next world tries again.
    this.#mariadb.catch(() => {
      this.#mariadb = undefined;
    });
    return this.#mariadb;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#made) await one[Symbol.asyncDispose]();
    await (await this.#s3)?.close();
    const odd = await this.#mariadb;
    await odd?.session.end();
    await odd?.server.stop();
  }
}
