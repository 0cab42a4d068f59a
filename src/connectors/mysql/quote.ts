import { mysql } from '../../lib/sql-quoting.ts';

export const { identifier, literal, bits, charset } = mysql;

/** `database.table`, as an identifier. */
export function qualified(database: string, table: string): string {
  return `${identifier(database)}.${identifier(table)}`;
}
