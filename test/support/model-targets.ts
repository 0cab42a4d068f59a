import path from 'node:path';
import { queryDuckDB } from './duckdb.ts';
import { createMariadbDatabase, type MariadbDatabase } from './mariadb.ts';
import type { ModelSyncs } from './model-syncs.ts';

type Rows = Record<string, unknown>[];

/** A system that model syncs write to, and a way to look at it past its connector. */
export interface ModelTarget extends AsyncDisposable {
  kind: 'postgresql' | 'mysql' | 'duckdb';
  connectionId: string;
  /** Id of a table as a target object. */
  object(table: string): string;
  /** Runs statements, returns the last one's rows. */
  query(sql: string): Promise<Rows>;
}

export function postgresqlTarget(world: ModelSyncs): ModelTarget {
  return {
    kind: 'postgresql',
    connectionId: world.targetId,
    object: (table) => `public.${table}`,
    query: (sql) => world.target.query(sql),
    [Symbol.asyncDispose]: async () => {},
  };
}

export async function mariadbTarget(
  world: ModelSyncs,
): Promise<ModelTarget & Pick<MariadbDatabase, 'configuration'>> {
  const database = await createMariadbDatabase();
  return {
    kind: 'mysql',
    configuration: database.configuration,
    connectionId: await world.connect('mysql', database.configuration),
    object: (table) => `${database.name}.${table}`,
    query: (sql) => database.query(sql),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

export async function duckdbTarget(world: ModelSyncs): Promise<ModelTarget> {
  const name = `target${crypto.randomUUID()}.duckdb`;
  return {
    kind: 'duckdb',
    connectionId: await world.connect('duckdb', { database: name }),
    object: (table) => `main.${table}`,
    query: (sql) => queryDuckDB(path.join(world.duckdbDir, world.organizationId, name), sql),
    [Symbol.asyncDispose]: async () => {},
  };
}
