import type { Connection, RowDataPacket } from 'mysql2/promise';
import { TidemarkError } from '../../errors.ts';
import { isPassing, isServerError } from './errors.ts';

/**
 * What a session has to be set to, whatever the server's, the user's or `init_connect`'s values are: each of these
 * changes what is read, what is written, or for how long. Nothing is rounded or cut in silence, 0 is a value like any
 * other in a column that counts up, and a server waits for a reader or writer as long as the other side takes.
 *
 * `foreign_key_checks`, `auto_increment_*` and `sql_log_bin` are left as they are: they belong to who runs the server.
 */
const everywhere: Record<string, string> = {
  time_zone: '+00:00',
  sql_mode: 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO',
  autocommit: 'ON',
  completion_type: 'NO_CHAIN',
  // What a SELECT gives, and which statements are refused for their size.
  sql_select_limit: '18446744073709551615',
  max_join_size: '18446744073709551615',
  sql_big_selects: 'ON',
  sql_safe_updates: 'OFF',
  sql_auto_is_null: 'OFF',
  // What texts are read and written as, and how long they may be.
  character_set_client: 'utf8mb4',
  character_set_results: 'utf8mb4',
  collation_connection: 'utf8mb4_general_ci',
  group_concat_max_len: '1073741824',
  max_sort_length: '1024',
  lc_time_names: 'en_US',
  default_week_format: '0',
  div_precision_increment: '4',
  // What is checked, and told.
  unique_checks: 'ON',
  max_error_count: '64',
  sql_quote_show_create: 'ON',
  net_write_timeout: '86400',
  net_read_timeout: '86400',
  wait_timeout: '86400',
  lock_wait_timeout: '86400',
  innodb_lock_wait_timeout: '50',
};

/** What only some servers have, and what is almost everywhere as it should be. */
const whereThere: Record<string, string> = {
  tx_isolation: 'REPEATABLE-READ',
  transaction_isolation: 'REPEATABLE-READ',
  tx_read_only: 'OFF',
  transaction_read_only: 'OFF',
  system_versioning_asof: 'DEFAULT',
  sql_if_exists: 'OFF',
  check_constraint_checks: 'ON',
  max_recursive_iterations: '1000000',
  standard_compliant_cte: 'ON',
  default_regex_flags: '',
  alter_algorithm: 'DEFAULT',
  default_storage_engine: 'InnoDB',
  default_tmp_storage_engine: 'InnoDB',
  innodb_strict_mode: 'ON',
  show_old_temporals: 'OFF',
  wsrep_dirty_reads: 'OFF',
  idle_transaction_timeout: '0',
  idle_readonly_transaction_timeout: '0',
  idle_write_transaction_timeout: '0',
};

/**
 * What a server or a proxy may keep to itself: ProxySQL takes a time to wait and does nothing with it, MySQL 8 lets only
 * administrators set `innodb_strict_mode`. None of these changes a value or leaves out a row in silence.
 */
const asItMay = new Set([
  'net_write_timeout',
  'net_read_timeout',
  'wait_timeout',
  'lock_wait_timeout',
  'innodb_lock_wait_timeout',
  'idle_transaction_timeout',
  'idle_readonly_transaction_timeout',
  'idle_write_transaction_timeout',
  'max_join_size',
  'sql_big_selects',
  'max_error_count',
  'sql_quote_show_create',
  'alter_algorithm',
  'innodb_strict_mode',
  'default_tmp_storage_engine',
]);

/** MariaDB's own default takes no value of its own, and where it has one, an engine's name is as good. */
const orUnset = new Set(['default_tmp_storage_engine']);
/** Flags, in an order that the server chooses. */
const flags = new Set(['sql_mode', 'default_regex_flags']);
/** Of `old_mode`: what would read a time as another one, or keep quiet about rows that were left out. */
const oldFlags = ['ZERO_DATE_TIME_CAST', 'NO_DUP_KEY_WARNINGS_WITH_IGNORE'];

const wanted: Record<string, string> = { ...everywhere, ...whereThere };
const names = [...Object.keys(wanted), 'old_mode'];
const show = `show session variables where variable_name in (${names.map((name) => `'${name}'`).join(', ')})`;

/**
 * Sets what the session needs by SQL, and looks whether it took: a proxy may keep a statement from the server.
 *
 * @param statementLimit milliseconds a statement may take; 0 for no limit.
 * @throws unprocessable with the settings that cannot be had.
 */
export async function settle(connection: Connection, statementLimit: number): Promise<void> {
  const first = Object.entries(everywhere).map(([name, value]) => assignment(name, value));
  await assign(connection, first, limit(statementLimit));
  const odd = await others(connection);
  if (odd.length === 0) return;
  const again = odd.map(({ name, to }) => assignment(name, to));
  await assign(connection, again, '');
  const still = (await others(connection)).filter(({ name }) => !asItMay.has(name));
  if (still.length === 0) return;
  const list = still.map(({ name, is, to }) => `${name} is ${is} where ${to} was set`);
  const reason = `the server does not take the settings of a session: ${list.join('; ')}; set them on the server, or connect without what lies in between`;
  throw new TidemarkError('unprocessable', { reason });
}

/** @param always goes with the others, and with the first of them where each has to be set alone. */
async function assign(connection: Connection, list: readonly string[], always: string): Promise<void> {
  try {
    await connection.query(`set ${list.join(', ')}${always}`);
  } catch (error) {
    if (!isServerError(error) || isPassing(error)) throw error;
    // One that the server does not know, or does not let this user set, takes all others with it. What matters is looked at.
    for (const one of [...list.slice(1), `${list[0]}${always}`]) {
      await connection.query(`set ${one}`).catch((refusal: unknown) => {
        if (!isServerError(refusal) || isPassing(refusal)) throw refusal;
      });
    }
  }
}

/** Each of the two systems reads its own part: MariaDB counts seconds, MySQL milliseconds. */
function limit(milliseconds: number): string {
  return ` /*M! , session max_statement_time = ${milliseconds / 1000}, session max_recursive_iterations = 1000000 */ /*!80000 , session max_execution_time = ${milliseconds} */`;
}

function assignment(name: string, value: string): string {
  // The word, not the text: it is the value without a time, whatever the server's own is.
  if (name === 'system_versioning_asof') return `session ${name} = default`;
  return `session ${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}`;
}

interface Odd {
  name: string;
  is: string;
  to: string;
}

async function others(connection: Connection): Promise<Odd[]> {
  const [rows] = await connection.query<RowDataPacket[]>(show);
  return rows.flatMap(({ Variable_name: variable, Value: value }) => {
    const [name, is] = [String(variable).toLowerCase(), String(value)];
    const to =
      wanted[name] ??
      is
        .split(',')
        .filter((flag) => !oldFlags.includes(flag))
        .join(',');
    if (isSame(name, is, to) || (is === '' && orUnset.has(name))) return [];
    return [{ name, is, to }];
  });
}

function isSame(name: string, is: string, to: string): boolean {
  const plain = (text: string) =>
    (flags.has(name) ? text.split(',').toSorted().join(',') : text).toLowerCase();
  return plain(is) === plain(to);
}
