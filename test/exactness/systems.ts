import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Connector, Session } from '../../src/connectors/contract.ts';
import { duckdb } from '../../src/connectors/duckdb/index.ts';
import { mysql } from '../../src/connectors/mysql/index.ts';
import { postgresql } from '../../src/connectors/postgresql/index.ts';
import { s3 } from '../../src/connectors/s3/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { createDatabase } from '../support/database.ts';
import { createMariadbDatabase } from '../support/mariadb.ts';
import { startS3 } from '../support/s3.ts';

/** A system that rows pass through: somewhere to write a table and to read it again. */
export interface System extends AsyncDisposable {
  session: Session;
  target(name: string): { schema: string; name: string };
  /** Schema id under which the table is read. */
  schemaId(name: string): string;
}

const egress = createEgress({ allow: ['127.0.0.0/8'] });
const open = (connector: Connector, configuration: JsonObject) => connector.open(configuration, { egress });

export async function postgresqlSystem(
  sql = '',
): Promise<System & { query: (text: string) => Promise<Row[]> }> {
  const database = await createDatabase();
  if (sql !== '') await database.query(sql);
  const { hostname, port, username, password, pathname } = new URL(database.url);
  const server = { hostname, port: Number(port), username, password, database: pathname.slice(1) };
  const session = open(postgresql, { ...server, ssl: false });
  return {
    session,
    target: (name) => ({ schema: 'public', name }),
    schemaId: (name) => `public.${name}`,
    query: (text) => database.query<Row>(text),
    async [Symbol.asyncDispose]() {
      await session.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

export type Row = Record<string, string | null>;

async function mysqlSystem(): Promise<System> {
  const database = await createMariadbDatabase();
  const session = open(mysql, { ...database.configuration });
  return {
    session,
    target: (name) => ({ schema: database.name, name }),
    schemaId: (name) => `${database.name}.${name}`,
    async [Symbol.asyncDispose]() {
      await session.close();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Parquet files, as a table of the sync's schema. */
async function s3System(): Promise<System> {
  const server = await startS3();
  const session = open(s3, { ...server.configuration });
  return {
    session,
    target: (name) => ({ schema: 'lake', name }),
    schemaId: (name) => `lake.${name}`,
    async [Symbol.asyncDispose]() {
      await session.close();
      await server.close();
    },
  };
}

async function duckdbSystem(): Promise<System> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidemark-exactness-'));
  const session = duckdb.open({ database: 'x.duckdb' }, { egress, folder });
  return {
    session,
    target: (name) => ({ schema: 'main', name }),
    schemaId: (name) => `main.${name}`,
    async [Symbol.asyncDispose]() {
      await session.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Everything that can stand in the middle. */
export const systems: Record<string, () => Promise<System>> = {
  postgresql: postgresqlSystem,
  mysql: mysqlSystem,
  s3: s3System,
  duckdb: duckdbSystem,
};
