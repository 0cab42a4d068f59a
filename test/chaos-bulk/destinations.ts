import { readdir, rm } from 'node:fs/promises';
import type { Session } from '../../src/connectors/contract.ts';
import { duckdb } from '../../src/connectors/duckdb/index.ts';
import { mysql } from '../../src/connectors/mysql/index.ts';
import { postgresql } from '../../src/connectors/postgresql/index.ts';
import { s3 } from '../../src/connectors/s3/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { decodeCopyText } from '../../src/lib/copy-text.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import type { BulkHarness } from '../support/bulk-syncs.ts';
import { createDatabase } from '../support/database.ts';
import { createMariadbDatabase } from '../support/mariadb.ts';
import { startS3, type TestS3 } from '../support/s3.ts';

/** Where the rows of a world go. */
export interface Destination extends AsyncDisposable {
  /** Connector type, and the configuration of its connection. */
  type: string;
  configuration: JsonObject;
  /** `destination_configuration.schema` or subfolder. */
  schema: string;
  /** Every row of table t, values by column; undefined: there is none. */
  rows(): Promise<Map<string, string | null>[] | undefined>;
  /** Takes table t away. */
  remove(): Promise<void>;
  /** Puts a table there that is not Tidemark's, in the place of the one that is; undefined: it has no tables. */
  tamper?(): Promise<void>;
}

export const kinds = ['postgresql', 'mysql', 's3', 'duckdb'] as const;
export type Kind = (typeof kinds)[number];

const egress = createEgress({ allow: ['127.0.0.0/8'] });

async function read(session: Session, schemaId: string): Promise<Map<string, string | null>[] | undefined> {
  const { bulkSource: source } = session;
  if (source === undefined) throw new Error('it cannot be read');
  const table = await source.table(schemaId, undefined).catch(() => undefined);
  if (table === undefined) return undefined;
  const lines = await Array.fromAsync(decodeCopyText(await source.read(table, 'copy-text', {})));
  return lines
    .flat()
    .map((row) => new Map(table.columns.map(({ name }, index) => [name, row[index] ?? null])));
}

/** One server for all worlds: a bucket's folder each. */
let server: Promise<TestS3> | undefined;
let folders = 0;

export const makeDestination: Record<Kind, (harness: BulkHarness) => Promise<Destination>> = {
  async postgresql() {
    const database = await createDatabase();
    const { hostname, port, username, password, pathname } = new URL(database.url);
    const configuration = {
      hostname,
      port: Number(port),
      username,
      password,
      database: pathname.slice(1),
      ssl: false,
    };
    const session = postgresql.open(configuration, { egress });
    return {
      type: 'postgresql',
      configuration,
      schema: 'copy',
      rows: () => read(session, 'copy.t'),
      remove: async () => void (await database.query('drop table if exists copy.t cascade')),
      tamper: async () => {
        await database.query(
          'create schema if not exists copy; drop table if exists copy.t cascade; create table copy.t as select 1 as id, 2 as mine',
        );
      },
      async [Symbol.asyncDispose]() {
        await session.close();
        await database[Symbol.asyncDispose]();
      },
    };
  },
  async mysql() {
    const database = await createMariadbDatabase();
    const session = mysql.open({ ...database.configuration }, { egress });
    return {
      type: 'mysql',
      configuration: { ...database.configuration },
      schema: database.name,
      rows: () => read(session, `${database.name}.t`),
      remove: async () => void (await database.query('drop table if exists t')),
      tamper: async () => {
        await database.query('drop table if exists t; create table t as select 1 as id, 2 as mine');
      },
      async [Symbol.asyncDispose]() {
        await session.close();
        await database[Symbol.asyncDispose]();
      },
    };
  },
  async s3() {
    server ??= startS3();
    const { configuration } = await server;
    const schema = `world_${process.pid}_${folders++}`;
    const session = s3.open({ ...configuration }, { egress });
    return {
      type: 's3',
      configuration: { ...configuration },
      schema,
      rows: () => read(session, `${schema}.t`),
      async remove() {
        const { keys, remove } = await (server ?? startS3());
        for (const key of await keys(`${schema}/`)) await remove(key);
      },
      [Symbol.asyncDispose]: () => session.close(),
    };
  },
  async duckdb(harness) {
    const database = `world_${folders++}.duckdb`;
    const folder = `${harness.duckdbDir}/${harness.organizationId}`;
    const session = duckdb.open({ database }, { egress, folder });
    return {
      type: 'duckdb',
      configuration: { database },
      schema: 'main',
      rows: () => read(session, 'main.t'),
      remove: () => rm(`${folder}/${database}`, { force: true }),
      async [Symbol.asyncDispose]() {
        await session.close();
        for (const name of await readdir(folder).catch(() => [])) {
          if (name.startsWith(database)) await rm(`${folder}/${name}`, { force: true });
        }
      },
    };
  },
};

export async function closeDestinations(): Promise<void> {
  await (await server)?.close();
  server = undefined;
}
