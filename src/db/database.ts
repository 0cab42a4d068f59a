import { CompiledQuery, Kysely, type Transaction as KyselyTransaction, PostgresDialect } from 'kysely';
import pg from 'pg';
import { tellOfCommits } from './commits.ts';
import { sessionOptions } from './metadata-client.ts';
import type { Tables } from './tables.gen.ts';

/** The metadata database. Also what a transaction is, so a function that takes one runs in either. */
export type Database = Kysely<Tables>;
export type Transaction = KyselyTransaction<Tables>;

/** Tables live in a schema of their own: a DATABASE_URL may point at a database that is shared. */
export const schemaName = 'tidemark';

/** For sessions whose statements are all short: what takes longer waits for something that does not come. */
export const statementLimit = { statement_timeout: '60000' };

/**
 * For the statements of loops that never end. They read little of tables that grow, and the planner's statistics say nothing,
 * or what was true some time ago: a plan that follows an index is right whatever they say, and is made once.
 */
export const loopSessions = {
  ...statementLimit,
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  enable_sort: 'off',
  jit: 'off',
};

/**
 * SQL that is true, and that the planner takes for true of one row in two hundred. A statement that is given some rows, to find
 * each by a key, then begins with these. It would take them for a hundred, and where statistics say that the table has less it
 * would read all of that for each. @param column an integer that is not null.
 */
export const takenForFew = (column: string) => `${column} = ${column} + 0`;

const types = new pg.TypeOverrides();
// Timestamps stay text with microseconds: a JavaScript Date would cut the event cursor to milliseconds.
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, toRfc3339);
// Counts fit a double exactly up to 2^53; a count beyond that is not a count of rows.
types.setTypeParser(pg.types.builtins.INT8, Number);

export interface DatabaseHandle {
  db: Database;
  pool: pg.Pool;
  close(): Promise<void>;
}

const pools = new WeakMap<Database, pg.Pool>();

/** What Kysely has no words for, COPY above all, goes past it. */
export function poolOf(db: Database): pg.Pool {
  const pool = pools.get(db);
  if (pool === undefined) throw new Error('this is no database that openDatabase opened');
  return pool;
}

/**
 * @param url postgresql:// URL of the metadata database. @param max connections at most.
 * @param settings of the sessions, e.g. `{ jit: 'off' }`.
 */
export function openDatabase(
  url: string,
  max = 10,
  settings: Readonly<Record<string, string>> = {},
): DatabaseHandle {
  const pool = new pg.Pool({
    ...sessionOptions(url, { search_path: schemaName, timezone: 'UTC', ...settings }),
    max,
    types,
    application_name: 'tidemark',
  });
  // An idle connection that breaks is replaced at the next query; without a listener it ends the process.
  pool.on('error', () => {});
  // Nor is the pool's listener there while a transaction holds a connection between two of its queries.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('connect', tellOfCommits);
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  pools.set(db, pool);
  // Kysely's own destroy leaves a pool open that was only used directly.
  return { db, pool, close: () => pool.end() };
}

/** Runs a statement that has no typed form (DDL, session settings). */
export async function execute(db: Database | Transaction, sql: string): Promise<void> {
  await db.executeQuery(CompiledQuery.raw(sql));
}

/** Always with six digits: PostgreSQL leaves zeros at the end out, and then texts do not sort as times do. */
function toRfc3339(text: string): string {
  const [, date, time, fraction = ''] = /^(\S+) (\d\d:\d\d:\d\d)(?:\.(\d+))?\+00$/.exec(text) ?? [];
  // Infinity, and years before Christ.
  if (date === undefined || time === undefined) return text;
  return `${date}T${time}.${fraction.padEnd(6, '0')}Z`;
}
