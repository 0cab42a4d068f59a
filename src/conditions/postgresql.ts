import { postgresql as quoting } from '../lib/sql-quoting.ts';
import type { Column, Dialect } from './dialect.ts';
import { whitespace } from './terms.ts';

const quote = quoting.literal;
const collated = /^(text|character|name|citext)\b/;

/**
 * A quoted literal has no type of its own: PostgreSQL reads it as the column's, without the column's length or
 * precision, and an index serves. A literal with a backslash is written as E'…', which reads the same whatever
 * standard_conforming_strings says.
 */
export const postgresql: Dialect = {
  identifier: quoting.identifier,
  compare: (column, comparison, value) =>
    `${comparison === '=' ? column.sql : byCodePoint(column)} ${comparison} ${quote(value)}`,
  oneOf: ({ sql }, values) => `${sql} in (${values.map(quote).join(', ')})`,
  like: ({ sql }, pattern) => `${sql}::text like ${quote(pattern)} escape '!'`,
  trimmedEquals: ({ sql }, value) => `btrim(${sql}::text, ${quote(whitespace)}) = ${quote(value)}`,
  contains: ({ sql }, value) => `${sql} @> ${quote(`{"${value.replaceAll(/["\\]/g, '\\$&')}"}`)}`,
};

function byCodePoint({ sql, remoteType }: Column): string {
  return collated.test(remoteType) ? `${sql} collate "C"` : sql;
}
