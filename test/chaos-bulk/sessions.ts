import type { TestDatabase } from '../support/database.ts';
import type { Dice } from './dice.ts';

/** What an administrator may have set for a database, and which changes what its sessions write or do. */
const settings = [
  `datestyle = 'German, DMY'`,
  `datestyle = 'SQL, DMY'`,
  `intervalstyle = 'sql_standard'`,
  `bytea_output = 'escape'`,
  'extra_float_digits = 0',
  `timezone = 'Pacific/Auckland'`,
  'standard_conforming_strings = off',
  'escape_string_warning = off',
  `search_path = 'nowhere'`,
  `default_transaction_isolation = 'serializable'`,
  'enable_seqscan = off',
  `client_encoding = 'LATIN1'`,
  `statement_timeout = '30s'`,
  `idle_in_transaction_session_timeout = '30s'`,
  'max_parallel_workers_per_gather = 0',
];

/** Of new sessions: those of the tests set what they need themselves. */
export async function unsettle(database: TestDatabase, dice: Dice): Promise<string> {
  const name = new URL(database.url).pathname.slice(1);
  const setting = dice.pick(settings);
  await database.query(`alter database ${name} set ${setting}`);
  return setting;
}
