import type { Connection } from 'mysql2/promise';
import { rowsOf } from './client.ts';

/** A column of Tidemark's own, of tables whose rows have no key and whose server wants one. */
export const ownKeyName = '_tidemark_row';

/** Numbers rows as they come. Whoever selects everything, or inserts without names, does not see it. */
export const ownKey = `\`${ownKeyName}\` bigint unsigned not null auto_increment /*M! invisible */ /*!80023 invisible */ primary key`;

/** Whether the server refuses tables without a primary key. Temporary tables are tables to it. */
export async function demandsKeys(connection: Connection): Promise<boolean> {
  const rows = await rowsOf<{ Value: string }>(
    connection,
    `show session variables where variable_name in ('innodb_force_primary_key', 'sql_require_primary_key')`,
  );
  return rows.some(({ Value: value }) => value === 'ON');
}
