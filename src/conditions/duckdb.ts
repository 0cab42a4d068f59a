import { duckdb as quoting } from '../lib/sql-quoting.ts';
import type { Column, Dialect } from './dialect.ts';
import { whitespace } from './terms.ts';

const quote = quoting.literal;

/** A quoted literal is read as the column's type, and no backslash means anything in one. */
export const duckdb: Dialect = {
  identifier: quoting.identifier,
  compare: (column, comparison, value) => `${column.sql} ${comparison} ${literal(column, value)}`,
  oneOf: (column, values) => `${column.sql} in (${values.map((value) => literal(column, value)).join(', ')})`,
  like: ({ sql }, pattern) => `${sql}::varchar like ${quote(pattern)} escape '!'`,
  trimmedEquals: ({ sql }, value) => `trim(${sql}::varchar, ${quote(whitespace)}) = ${quote(value)}`,
  contains: ({ sql }, value) => `list_contains(${sql}, ${quote(value)})`,
};

/** TIMESTAMP_S and TIMESTAMP_MS would round what is finer than they are. */
function literal({ remoteType }: Column, value: string): string {
  return /^timestamp_m?s$/i.test(remoteType) ? `timestamp ${quote(value)}` : quote(value);
}
