import pg, { type Client } from 'pg';
import { TidemarkError } from '../../errors.ts';
import { ConnectionLost } from '../contract.ts';
import { literal } from './quote.ts';

/**
 * How a transaction sees the data and what it may do with it. Every characteristic is written out, because
 * `default_transaction_…` of the role or database fills in what is left out.
 */
const kinds = {
  look: 'isolation level read committed, read only, not deferrable',
  snapshot: 'isolation level repeatable read, read only, not deferrable',
  write: 'isolation level read committed, read write, not deferrable',
} as const;

/**
 * Everything that a server, database or role can set and that changes what is read or written, or that ends what takes
 * long. Left alone: `session_replication_role`, which decides whether the user's triggers run, and `lc_monetary`: the
 * number of digits behind the point of every stored `money` depends on it, so that any one value of it would be wrong
 * for some database by a factor of a hundred.
 */
const settings: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '3',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  xmloption: 'content',
  xmlbinary: 'base64',
  quote_all_identifiers: 'off',
  transform_null_equals: 'off',
  // Above 0 a search in a GIN index gives a random part of what it finds.
  gin_fuzzy_search_limit: '0',
  exit_on_error: 'off',
  // Messages are not read, but a role may ask for one per statement or row.
  client_min_messages: 'warning',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/** Not every server has these. */
const newer: Readonly<Record<string, string>> = {
  transaction_timeout: '0',
};

/** What a socket makes of this differs: a Unix socket keeps 0. A half-open connection must not hold locks for hours. */
const unverified: Readonly<Record<string, string>> = {
  tcp_keepalives_idle: '30',
};

/**
 * Where names without a schema lead.
 *
 * - `system`: to the system's own alone, for answers that go into statements for another server: in the user's schemas there
 *   may be a `format_type` that fits better than the system's.
 * - `ours`: there first, then where the user's role looks, for functions of views, triggers and indexes that name what they
 *   need without a schema.
 * - `own`: where the user's role looks, for queries that are the user's.
 */
export type Path = 'system' | 'ours' | 'own';

/** Functions are never looked for in pg_temp; said last, no temporary table hides one of the system's. */
const systemPath = `'pg_catalog, pg_temp'`;
/** The role's path may be an empty text. */
const ourPath = `pg_catalog.regexp_replace(pg_catalog.concat('pg_catalog, ', pg_catalog.current_setting('search_path')), '[, ]+$', '')`;

export interface TransactionOptions {
  /** Default: `ours`. */
  path?: Path;
  /** Rows that policies hide from the role: `off` makes reading past them an error. Default: as the connection says. */
  rowSecurity?: 'on' | 'off';
  /** Milliseconds; 0, the default: none. */
  statementTimeout?: number;
  /** What the session is called meanwhile. Default: as it was opened. */
  applicationName?: string;
}

/** A target's policies have their say in what a model sync writes: what they refuse is refused by name. */
export const targetOptions: TransactionOptions = { rowSecurity: 'on' };

/** What is known of a connection. */
interface SessionState {
  rowSecurity: 'on' | 'off';
  /** Of the transaction, as it is now. */
  path: Path;
  /** The texts of `own` and `ours`. */
  ownPath: string;
  ourPath: string;
  /** Schemas in which the role finds what it names without one. */
  schemas: string[];
  pooled: boolean;
  /** Of the server. */
  encoding: string;
}

const states = new WeakMap<Client, SessionState>();

/** @param rowSecurity of transactions that do not say it. */
export function setRowSecurity(client: Client, rowSecurity: 'on' | 'off'): void {
  states.set(client, {
    ...{ rowSecurity, path: 'own', ownPath: '', ourPath: '', schemas: [] },
    ...{ pooled: false, encoding: '' },
  });
}

/**
 * The one way in which anything is asked of a user's server: in a transaction that has all settings, in the round trip
 * that begins it. Settings of a session would do for a server, but a pooler gives each transaction to another session:
 * they would be lost, and change what its other clients read. Startup parameters (`options`) poolers refuse.
 *
 * What the server says each setting is then is compared with what it should be.
 */
export async function begin(
  client: Client,
  kind: keyof typeof kinds,
  { path = 'ours', rowSecurity, statementTimeout = 0, applicationName }: TransactionOptions = {},
): Promise<void> {
  const state = stateOf(client);
  const wanted = {
    ...settings,
    statement_timeout: String(statementTimeout),
    row_security: rowSecurity ?? state.rowSecurity,
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
  };
  const statements = [
    `begin ${kinds[kind]}`,
    `select ${ourPath} as path, pg_catalog.current_setting('search_path') as own,
       pg_catalog.to_json(pg_catalog.current_schemas(false)) as schemas, pg_catalog.pg_backend_pid() as pid,
       pg_catalog.current_setting('server_encoding') as encoding`,
    ...(path === 'own' ? [] : [setPath(path === 'system' ? systemPath : ourPath)]),
    `select s.name, pg_catalog.set_config(s.name, s.value, true) as value
     from (values ${listed({ ...newer, ...unverified })}) s (name, value)
     where pg_catalog.current_setting(s.name, true) is not null`,
    `select s.name, pg_catalog.set_config(s.name, s.value, true) as value from (values ${listed(wanted)}) s (name, value)`,
  ];
  const results = await run(client, kind, statements.join('; '));
  const session: Begun | undefined = results[1]?.rows[0];
  state.path = path;
  state.ownPath = session?.own ?? '';
  state.ourPath = session?.path ?? '';
  state.schemas = session?.schemas ?? [];
  state.encoding = session?.encoding ?? '';
  // A pooler makes up the process id that it gives its clients.
  state.pooled = session?.pid !== (client as unknown as { processID: number | null }).processID;
  const found = new Map<string, string>();
  for (const { rows } of results.slice(2)) {
    for (const { name, value } of rows) found.set(name, value);
  }
  for (const [name, value] of Object.entries({ ...newer, ...wanted })) {
    const kept = found.get(name);
    // A time is shown in other units than it was given in.
    if (kept === value || (name === 'statement_timeout' && value !== '0')) continue;
    if (kept === undefined && name in newer) continue;
    throw new TidemarkError('session_setting', { setting: name, wanted: value, found: kept ?? 'nothing' });
  }
}

interface Begun {
  path: string;
  own: string;
  schemas: string[];
  pid: number;
  encoding: string;
}

async function run(client: Client, kind: keyof typeof kinds, text: string): Promise<pg.QueryResult[]> {
  try {
    return (await client.query(text)) as unknown as pg.QueryResult[];
  } catch (error) {
    // A standby does not begin what writes. After a failover that passes.
    if (kind === 'write' && error instanceof pg.DatabaseError && error.code === '0A000') {
      const reason = `the server is a standby, which takes no writes (${error.message}): connect to the primary`;
      throw new ConnectionLost(reason, { cause: error });
    }
    throw error;
  }
}

/** Runs what may call functions of the user's in a transaction that has begun with the system's path. */
export function withOurPath<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  return withPath(client, 'ours', work);
}

/**
 * Asks the catalogue in a transaction that has begun with another path: whoever may create in a schema of that path could have
 * a function, operator or view there that fits better than the system's, and runs with the rights of our role. Within itself
 * it costs nothing.
 */
export function withSystemPath<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  return withPath(client, 'system', work);
}

/** One question of the catalogue, or of what is ours, whatever the transaction's path. */
export function ask<Row extends pg.QueryResultRow>(
  client: Client,
  text: string,
  values?: unknown[],
): Promise<pg.QueryResult<Row>> {
  return withSystemPath(client, () => client.query<Row>(text, values));
}

/** For the rest of the transaction. */
export async function useOurPath(client: Client): Promise<void> {
  await take(client, 'ours');
}

async function withPath<Result>(client: Client, path: Path, work: () => Promise<Result>): Promise<Result> {
  const before = stateOf(client).path;
  if (before === path) return work();
  await take(client, path);
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    // A transaction that the error has ended refuses, and its rollback brings the path back.
    await take(client, before).catch(() => {});
    throw error;
  }
  await take(client, before);
  return result;
}

async function take(client: Client, path: Path): Promise<void> {
  const state = stateOf(client);
  state.path = path;
  const texts = { own: literal(state.ownPath), ours: literal(state.ourPath), system: systemPath };
  await client.query(setPath(texts[path]));
}

/** Schemas of the role's own path, as an array of names. */
export function ownSchemas(client: Client): string {
  return `array[${stateOf(client).schemas.map(literal).join(', ')}]::name[]`;
}

/**
 * Whether something between us and the server gives each transaction to another of its sessions, or might: what a session
 * keeps (temporary tables, locks, settings) is then lost between two transactions. Known once one has begun.
 */
export function isPooled(client: Client): boolean {
  return stateOf(client).pooled;
}

/** What the database keeps text in, by PostgreSQL's name. Known once a transaction has begun. */
export function serverEncoding(client: Client): string {
  return stateOf(client).encoding;
}

/**
 * Has text come as the bytes that are kept, for the rest of the transaction, from a server whose bytes may be no UTF-8: it would
 * refuse to give those.
 */
export async function readBytes(client: Client): Promise<void> {
  if (keepsBytes(client)) await client.query(`set local client_encoding = 'SQL_ASCII'`);
}

/** Whether the server stores whatever bytes come as text, and has no idea what they mean. */
export function keepsBytes(client: Client): boolean {
  return stateOf(client).encoding === 'SQL_ASCII';
}

/**
 * Has what the transaction computes end within a second of its client being gone, canceled or killed, where the server can:
 * PostgreSQL 13 does not know the setting, and a server that cannot watch its connections while it computes refuses it.
 */
export async function endWithClient(client: Client): Promise<void> {
  await client.query('savepoint watch');
  try {
    await client.query(`set local client_connection_check_interval = '500ms'; release savepoint watch`);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    await client.query('rollback to savepoint watch');
  }
}

/** @param path as an expression. */
function setPath(path: string): string {
  return `select 'search_path' as name, pg_catalog.set_config('search_path', ${path}, true) as value`;
}

function listed(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map((pair) => pair.map(literal).join(', '));
  return pairs.map((pair) => `(${pair})`).join(', ');
}

function stateOf(client: Client): SessionState {
  const state = states.get(client);
  if (state === undefined) throw new Error('a connection that connector() did not open');
  return state;
}
