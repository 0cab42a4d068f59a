import { type Column, type Dialect, whitespace } from './dialect.ts';
import { binaryNumber } from './numbers.ts';
import { wrong } from './wrong.ts';

const characters = /^(char|varchar|tinytext|text|mediumtext|longtext|enum|set)\b/i;

/**
 * MySQL 8 and MariaDB. Texts are written in hexadecimal: no sql_mode and no character set can make anything else
 * of them. Their columns usually compare without regard to case, accents and spaces at the end: an index on that
 * finds the candidates, a comparison of bytes decides.
 *
 * The session's time_zone must be '+00:00', or `timestamp` columns are compared in another one.
 */
export const mysql: Dialect = {
  identifier: (name) => `\`${name.replaceAll('`', '``')}\``,
  compare(column, comparison, value) {
    if (comparison === '=') return mysql.oneOf(column, [value]);
    return isText(column)
      ? `${bytes(column.sql)} ${comparison} ${hexadecimal(value)}`
      : `${column.sql} ${comparison} ${literal(column, value)}`;
  },
  oneOf(column, values) {
    const { sql, type } = column;
    if (type === 'boolean') {
      return `(${values.map((value) => `${sql} ${value === 'true' ? '<>' : '='} 0`).join(' or ')})`;
    }
    const candidates = `${sql} in (${values.map((value) => literal(column, value)).join(', ')})`;
    if (!isText(column)) return candidates;
    const exact = `${bytes(sql)} in (${values.map(hexadecimal).join(', ')})`;
    // A column whose character set has no place for one of the texts cannot be compared with it.
    return values.every(isAscii) ? `(${candidates} and ${exact})` : exact;
  },
  like: ({ sql }, pattern) => `${utf8(sql)} collate utf8mb4_bin like ${text(pattern)} escape '!'`,
  trimmedEquals({ sql }, value) {
    // TRIM takes one text off, not any of several characters.
    const ends = text(`^[${whitespace}]+|[${whitespace}]+\\z`);
    return `${bytes(`regexp_replace(${utf8(sql)} collate utf8mb4_bin, ${ends}, ${text('')})`)} = ${hexadecimal(value)}`;
  },
  contains({ name }) {
    throw wrong(`filter on ${name}`, 'a MySQL database has no arrays');
  },
};

function isText({ type, remoteType }: Column): boolean {
  return type === 'string' && characters.test(remoteType);
}

/** A number or a time as the column holds it: compared with a text, a bigint would be rounded first. */
function literal({ type, remoteType }: Column, value: string): string {
  if (type === 'number') return binaryNumber(value, remoteType)?.toExponential() ?? value;
  if (type === 'datetime') {
    return value.length === 10 ? `date'${value}'` : `timestamp'${value.slice(0, 26)}'`;
  }
  return text(value);
}

function text(value: string): string {
  return `_utf8mb4 ${hexadecimal(value)}`;
}

function hexadecimal(value: string): string {
  return `x'${Buffer.from(value).toString('hex')}'`;
}

function utf8(sql: string): string {
  return `convert(${sql} using utf8mb4)`;
}

function bytes(sql: string): string {
  return `cast(${utf8(sql)} as binary)`;
}

function isAscii(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}
