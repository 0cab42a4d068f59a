import path from 'node:path';
import type { ModelSyncMode } from '../../src/connectors/index.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { queryDuckDB } from '../support/duckdb.ts';
import { createMariadbDatabase } from '../support/mariadb.ts';
import type { ModelSyncs } from '../support/model-syncs.ts';
import { startReceiver } from '../support/receiver.ts';
import { startS3 } from '../support/s3.ts';
import type { Row } from './reference-model.ts';
import type { TargetName } from './target-names.ts';

/** How the target's identity compares texts; `exact` tells all apart. */
export type Looseness = 'exact' | 'case' | 'number';

export interface Shape {
  looseness: Looseness;
  unique: boolean;
}

/** A table `items` (id, value, extra, note) of a system that is written to, or what comes nearest to one. */
export interface PlayedTarget extends AsyncDisposable {
  name: TargetName;
  modes: readonly ModelSyncMode[];
  connectionId: string;
  object: string;
  configuration: JsonObject;
  identity: string;
  /** Fields of the sync, as mappings to the target. */
  field(name: string): [string, string];
  canonical(looseness: Looseness, id: string): string;
  /** Made new and empty. It does not take the value `refused`. */
  prepare(shape: Shape): Promise<void>;
  rows(): Promise<Row[]>;
  /** Emptied at once. */
  empty(): Promise<void>;
  /** Changes by others, where they can be. */
  query?(statements: string): Promise<unknown>;
  /** Takes `refused` from now on, where that can be. */
  heal?(): Promise<void>;
  /** It says of a batch whether it arrived; else it may arrive twice. */
  exactlyOnce: boolean;
}

const allModes = ['create', 'update', 'updateOrCreate', 'append', 'remove', 'replace'] as const;
const table = { identity: 'id', configuration: {}, field: (name: string): [string, string] => [name, name] };
const record = { identity: 'record', field: (name: string): [string, string] => [name, 'record'] };
const canonical = (looseness: Looseness, id: string) => {
  if (looseness === 'exact') return id;
  return looseness === 'number' ? String(Number(id)) : id.toLowerCase();
};

export const openTarget: Record<TargetName, (world: ModelSyncs) => Promise<PlayedTarget>> = {
  async postgresql(world) {
    const { query } = world.target;
    await query('create extension if not exists citext');
    const types = { exact: 'text', case: 'citext', number: 'int' };
    return {
      ...table,
      name: 'postgresql',
      modes: allModes,
      connectionId: world.targetId,
      object: 'public.items',
      canonical,
      prepare: async ({ looseness, unique }) =>
        void (await query(`drop table if exists items;
          create table items (id ${types[looseness]} ${unique ? 'primary key' : ''}, value text,
            extra text, note text, constraint refuses check (value <> 'refused'))`)),
      rows: () => query('select id::text, value, extra, note from items'),
      empty: async () => void (await query('truncate items')),
      query,
      heal: async () => void (await query('alter table items drop constraint if exists refuses')),
      exactlyOnce: true,
      [Symbol.asyncDispose]: async () => {},
    };
  },

  async mysql(world) {
    const database = await createMariadbDatabase();
    const { query } = database;
    const types = {
      exact: 'varchar(50) character set utf8mb4 collate utf8mb4_nopad_bin',
      case: 'varchar(50) character set utf8mb4 collate utf8mb4_general_ci',
      number: 'int',
    };
    return {
      ...table,
      name: 'mysql',
      modes: allModes,
      connectionId: await world.connect('mysql', database.configuration),
      object: `${database.name}.items`,
      canonical: (looseness, id) => canonical(looseness, looseness === 'case' ? id.trimEnd() : id),
      prepare: async ({ looseness, unique }) =>
        void (await query(`drop table if exists items;
          create table items (id ${types[looseness]} ${unique ? 'primary key' : ''}, value varchar(50),
            extra varchar(50), note varchar(50), constraint refuses check (value <> 'refused'))`)),
      rows: () => query('select cast(id as char) as id, value, extra, note from items'),
      empty: async () => void (await query('truncate items')),
      query,
      heal: async () => void (await query('alter table items drop constraint if exists refuses')),
      exactlyOnce: true,
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  },

  async duckdb(world) {
    const name = 'items.duckdb';
    const file = path.join(world.duckdbDir, world.organizationId, name);
    const query = (sql: string) => queryDuckDB(file, sql);
    const types = { exact: 'varchar', case: 'varchar collate nocase', number: 'int' };
    await query('create table items (id int)');
    return {
      ...table,
      name: 'duckdb',
      modes: allModes,
      connectionId: await world.connect('duckdb', { database: name }),
      object: 'main.items',
      canonical,
      prepare: async ({ looseness, unique }) =>
        void (await query(`drop table if exists items; drop table if exists _tidemark_model_batches;
          create table items (id ${types[looseness]} ${unique ? 'primary key' : ''}, value varchar,
            extra varchar, note varchar, check (value <> 'refused'))`)),
      rows: async () => (await query('select id::varchar as id, value, extra, note from items')) as Row[],
      empty: async () => void (await query('truncate items')),
      query,
      exactlyOnce: true,
      [Symbol.asyncDispose]: async () => {},
    };
  },

  async webhook(world) {
    const receiver = await startReceiver();
    let rows = new Map<string, Row>();
    let refuses = true;
    receiver.behave(({ body }) => {
      const { records } = JSON.parse(body.toString()).object as { records: { fields: Row }[] };
      if (refuses && records.some(({ fields }) => fields.value === 'refused')) return 422;
      for (const { fields } of records) rows.set(fields.id ?? '', fields);
      receiver.requests.length = 0;
      return 200;
    });
    return {
      ...record,
      name: 'webhook',
      modes: ['updateOrCreate'],
      connectionId: await world.connect('webhook', { url: `${receiver.url}/records` }),
      object: 'http',
      configuration: { concurrency: 1 },
      canonical: (_, id) => id,
      async prepare() {
        rows = new Map();
        refuses = true;
      },
      rows: async () => [...rows.values()].map((row) => ({ ...row })),
      async empty() {
        rows = new Map();
      },
      async heal() {
        refuses = false;
      },
      exactlyOnce: false,
      [Symbol.asyncDispose]: () => receiver.close(),
    };
  },

  async s3(world) {
    const server = await startS3();
    const remove = async () => {
      for (const key of await server.keys()) await server.remove(key);
    };
    return {
      ...record,
      name: 's3',
      modes: ['append', 'replace'],
      connectionId: await world.connect('s3', server.configuration),
      object: 'files',
      configuration: { name: 'items', format: 'jsonl' },
      canonical: (_, id) => id,
      prepare: remove,
      async rows() {
        const [manifest] = (await server.keys('items/')).filter((key) => key.endsWith('manifest.json'));
        if (manifest === undefined) return [];
        const { files } = JSON.parse(`${await server.get(manifest)}`) as { files: { path: string }[] };
        const texts = await Promise.all(
          files.map(async (file) => `${await server.get(`items/${file.path}`)}`),
        );
        return texts
          .flatMap((text) => text.split('\n').filter(Boolean))
          .map((line) => JSON.parse(line) as Row);
      },
      empty: remove,
      exactlyOnce: true,
      [Symbol.asyncDispose]: () => server.close(),
    };
  },
};
