import type { Dice } from './dice.ts';
import type { MariadbDatabase, PostgresqlDatabase } from './servers.ts';

/** What an administrator may have set for a database or role, and which changes what its sessions write or do. */
const postgresql = [
  `datestyle = 'German, DMY'`,
  `datestyle = 'SQL, DMY'`,
  `intervalstyle = 'sql_standard'`,
  `bytea_output = 'escape'`,
  'extra_float_digits = 0',
  'extra_float_digits = -15',
  `timezone = 'Pacific/Auckland'`,
  'standard_conforming_strings = off',
  'backslash_quote = on',
  'escape_string_warning = off',
  `search_path = 'nowhere'`,
  'search_path = odd, pg_catalog',
  'row_security = off',
  `default_transaction_isolation = 'serializable'`,
  'default_transaction_read_only = on',
  'default_transaction_deferrable = on',
  'enable_seqscan = off',
  `client_encoding = 'LATIN1'`,
  `statement_timeout = '20ms'`,
  `lock_timeout = '1ms'`,
  `idle_in_transaction_session_timeout = '20ms'`,
  'max_parallel_workers_per_gather = 0',
  'array_nulls = off',
  'transform_null_equals = on',
  'quote_all_identifiers = on',
  'exit_on_error = on',
  `client_min_messages = 'debug1'`,
  `session_replication_role = 'replica'`,
  `default_toast_compression = 'pglz'`,
  'vacuum_freeze_min_age = 0',
  'track_activities = off',
  `default_table_access_method = 'heap'`,
];

/** Of new sessions: those of the tests set what they need themselves. */
export async function unsettlePostgresql({ name, query }: PostgresqlDatabase, dice: Dice): Promise<string> {
  const chosen = some(postgresql, dice);
  if (chosen.some((setting) => setting.includes('odd'))) {
    await query(
      `create schema if not exists odd; create or replace function odd.format_type(oid, int) returns text language sql as 'select ''text''';
       drop domain if exists odd.text; create domain odd.text as varchar(3)`,
    );
  }
  const scope = dice.pick([`database ${name}`, `role current_user in database ${name}`]);
  await query(chosen.map((setting) => `alter ${scope} set ${setting}`).join('; '));
  return `${scope.replace(/ .*/, '')}: ${chosen.join(', ')}`;
}

/** One alone may be without effect on what a table has. */
const some = (settings: readonly string[], dice: Dice) =>
  Array.from({ length: 1 + dice.below(6) }, () => dice.pick(settings));

const mariadb = [
  `time_zone = '+05:45'`,
  `time_zone = '-11:00'`,
  `sql_mode = ''`,
  `sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,IGNORE_SPACE'`,
  `sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,NO_ZERO_DATE,NO_ZERO_IN_DATE'`,
  `sql_mode = 'ORACLE'`,
  `sql_mode = 'HIGH_NOT_PRECEDENCE,REAL_AS_FLOAT,NO_UNSIGNED_SUBTRACTION,EMPTY_STRING_IS_NULL'`,
  `sql_mode = 'TIME_ROUND_FRACTIONAL,ALLOW_INVALID_DATES,STRICT_TRANS_TABLES'`,
  'sql_select_limit = 1',
  'max_allowed_packet = 1048576',
  'max_allowed_packet = 16384',
  'group_concat_max_len = 4',
  `character_set_client = 'latin1', global character_set_results = 'latin1', global collation_connection = 'latin1_german2_ci'`,
  `character_set_results = 'ucs2'`,
  `collation_connection = 'utf8mb4_bin'`,
  `character_set_server = 'latin1'`,
  'autocommit = 0',
  `completion_type = 'CHAIN'`,
  `tx_isolation = 'READ-UNCOMMITTED'`,
  `tx_isolation = 'SERIALIZABLE'`,
  'tx_read_only = 1',
  'max_statement_time = 0.05',
  'wait_timeout = 1',
  'net_write_timeout = 1',
  'lock_wait_timeout = 1',
  'div_precision_increment = 0',
  `lc_time_names = 'ja_JP'`,
  'sql_safe_updates = 1',
  'max_join_size = 10',
  'max_sort_length = 8',
  `old_mode = 'ZERO_DATE_TIME_CAST'`,
  `default_storage_engine = 'Aria'`,
  'check_constraint_checks = 0',
  'unique_checks = 0',
  'sql_auto_is_null = 1',
  `init_connect = 'set names latin1, sql_mode = "ANSI_QUOTES", time_zone = "+09:00", autocommit = 0'`,
  `init_connect = 'set sql_select_limit = 2, group_concat_max_len = 4, character_set_results = null'`,
  `init_connect = 'set @@session.sql_safe_updates = 1, foreign_key_checks = 0, sql_warnings = 1'`,
];

/** Of the server, for new sessions. */
export async function unsettleMariadb({ query }: MariadbDatabase, dice: Dice): Promise<string> {
  const chosen = some(mariadb, dice);
  await query(chosen.map((setting) => `set global ${setting}`).join('; '));
  return chosen.join(', ');
}

/** Every one as the server came with it. */
export async function settleMariadb(query: MariadbDatabase['query']): Promise<void> {
  await query(
    globals.map((name) => `set global ${name} = ${name === 'init_connect' ? `''` : 'default'}`).join('; '),
  );
}

const globals = [
  ...new Set(
    mariadb.flatMap((setting) =>
      setting.startsWith('init_connect')
        ? ['init_connect']
        : setting.split(', global ').map((one) => one.replace(/ = .*/, '')),
    ),
  ),
];
