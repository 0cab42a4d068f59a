import { readdir, rm } from 'node:fs/promises';
import type { JsonObject } from '../../src/lib/json.ts';
import type { BulkHarness } from '../support/bulk-syncs.ts';
import type { Meaning } from './canonical.ts';
import type { Dice } from './dice.ts';
import { quoted } from './mysql-table.ts';
import { readFiles, readTable } from './read-files.ts';
import type { Servers } from './servers.ts';
import { unsettleMariadb, unsettlePostgresql } from './sessions.ts';
import type { Row } from './source.ts';

/** Where the rows of a world go. */
export interface Destination extends AsyncDisposable {
  /** Connector type, and the configuration of its connection. */
  type: string;
  configuration: JsonObject;
  /** `destination_configuration`: schema, format. */
  options: JsonObject;
  /** Every row of table t as its own system says it, values by column; undefined: there is none. */
  rows(): Promise<Row[] | undefined>;
  /** What docs/types.md says becomes of a value that has no place in its types; undefined: it has one. */
  lost?(meaning: Meaning, value: string): boolean;
  /** Takes table t away. */
  remove(): Promise<void>;
  /** Puts a table there that is not Tidemark's, in the place of the one that is; undefined: it has no tables. */
  tamper?(): Promise<void>;
  unsettle?(dice: Dice): Promise<string>;
  /** Ends the sessions that write. */
  terminate?(): Promise<void>;
}

export const destinationKinds = ['postgresql', 'mysql', 's3', 'duckdb'] as const;
export type DestinationKind = (typeof destinationKinds)[number];

interface Making {
  servers: Servers;
  harness: BulkHarness;
}

let folders = 0;

export const makeDestination: Record<DestinationKind, (making: Making) => Promise<Destination>> = {
  async postgresql({ servers }) {
    const database = await servers.postgresql();
    const { query } = database;
    return {
      type: 'postgresql',
      configuration: database.configuration,
      options: { schema: 'copy' },
      async rows() {
        const columns = await query<{ name: string }>(
          `select attname as name from pg_attribute where attrelid = to_regclass('copy.t') and attnum > 0 and not attisdropped order by attnum`,
        );
        if (columns.length === 0) return undefined;
        const list = columns
          .map((_, index) => `case when c${index} is not null then format('%s', c${index}) end as c${index}`)
          .join(', ');
        const names = columns.map((_, index) => `c${index}`).join(', ');
        const rows = await query<Record<string, string>>(`select ${list} from copy.t as t (${names})`);
        return byName(rows, columns);
      },
      remove: async () => void (await query('drop table if exists copy.t cascade')),
      tamper: async () =>
        void (await query(
          'create schema if not exists copy; drop table if exists copy.t cascade; create table copy.t as select 1 as id, 2 as mine',
        )),
      unsettle: (dies) => unsettlePostgresql(database, dies),
      terminate: database.terminate,
      [Symbol.asyncDispose]: database.giveBack,
    };
  },
  async mysql({ servers }) {
    const database = await servers.mariadb();
    const { query, name } = database;
    return {
      type: 'mysql',
      configuration: database.configuration,
      options: { schema: name },
      async rows() {
        const columns = await query<{ name: string; type: string; bits: string }>(
          `select column_name as name, data_type as type, numeric_precision as bits from information_schema.columns
           where table_schema = '${name}' and table_name = 't' order by ordinal_position`,
        );
        if (columns.length === 0) return undefined;
        const list = columns.map(({ name: given, type, bits }, index) => {
          const column = quoted(given);
          if (/blob|binary/.test(type)) return `concat('\\\\x', hex(${column})) as c${index}`;
          if (type === 'bit') return `lpad(bin(${column} + 0), ${bits}, '0') as c${index}`;
          if (type === 'double') return `cast(${column} * 1e0 as char) as c${index}`;
          return `cast(${column} as char) as c${index}`;
        });
        return byName(await query<Record<string, string>>(`select ${list.join(', ')} from t`), columns);
      },
      lost: (meaning, value) =>
        (/^(number|real|double)$/.test(meaning) && /^-?(nan|infinity)$/i.test(value)) ||
        (/^(date|moment)$/.test(meaning) && /infinity|BC$|^\d{5}/.test(value)),
      remove: async () => void (await query('drop table if exists t')),
      tamper: async () =>
        void (await query('drop table if exists t; create table t as select 1 as id, 2 as mine')),
      unsettle: (dies) => unsettleMariadb(database, dies),
      terminate: database.terminate,
      [Symbol.asyncDispose]: database.giveBack,
    };
  },
  async s3({ servers }) {
    const server = await servers.s3();
    const schema = `world_${folders++}`;
    const remove = async () => {
      for (const key of await server.keys(`${schema}/`)) await server.remove(key);
    };
    return {
      type: 's3',
      configuration: { ...server.configuration },
      options: { schema },
      rows: () => readFiles(server, `${schema}/t/`),
      lost: (meaning, value) => meaning === 'number' && value === 'NaN',
      remove,
      [Symbol.asyncDispose]: remove,
    };
  },
  async duckdb({ harness }) {
    const database = `world_${folders++}.duckdb`;
    const folder = `${harness.duckdbDir}/${harness.organizationId}`;
    return {
      type: 'duckdb',
      configuration: { database },
      options: { schema: 'main' },
      rows: () => readTable(`${folder}/${database}`),
      lost: (meaning, value) => meaning === 'number' && value === 'NaN',
      remove: () => rm(`${folder}/${database}`, { force: true }),
      async [Symbol.asyncDispose]() {
        for (const name of await readdir(folder).catch(() => [])) {
          if (name.startsWith(database)) await rm(`${folder}/${name}`, { force: true });
        }
      },
    };
  },
};

function byName(rows: readonly Record<string, string | null>[], columns: readonly { name: string }[]): Row[] {
  return rows.map((row) => new Map(columns.map(({ name }, index) => [name, row[`c${index}`] ?? null])));
}
