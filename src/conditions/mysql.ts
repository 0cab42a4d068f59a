import { invalidField } from '../errors.ts';
import { mysql as quoting } from '../lib/sql-quoting.ts';
import type { Column, Dialect } from './dialect.ts';
import { binaryNumber } from './numbers.ts';
import { whitespace } from './terms.ts';

const { utf8: text, hexadecimal } = quoting;
const characters = /^(char|varchar|tinytext|text|mediumtext|longtext|enum|set)\b/i;

/**
 * MySQL 8 and MariaDB. Texts are written in hexadecimal: no sql_mode and no character set can make anything else
 * of them. Their columns usually compare without regard to case, accents and spaces at the end: an index on that
 * finds the candidates, a comparison of bytes decides.
 *
 * The session's time_zone must be '+00:00', or `timestamp` columns are compared in another one.
 */
export const mysql: Dialect = {
  identifier: quoting.identifier,
  compare(column, comparison, value) {
    if (comparison === '=') return mysql.oneOf(column, [value]);
    return isText(column)
      ? `${bytes(column)} ${comparison} ${hexadecimal(value)}`
      : `${column.sql} ${comparison} ${literal(column, value)}`;
  },
  oneOf(column, values) {
    const { sql, type } = column;
    if (type === 'boolean') {
      return `(${values.map((value) => `${sql} ${value === 'true' ? '<>' : '='} 0`).join(' or ')})`;
    }
    const candidates = `${sql} in (${values.map((value) => literal(column, value)).join(', ')})`;
    if (!isText(column)) return candidates;
    const exact = `${bytes(column)} in (${values.map(hexadecimal).join(', ')})`;
    // A column whose character set has no place for one of the texts cannot be compared with it.
    return values.every(isAscii) ? `(${candidates} and ${exact})` : exact;
  },
  like: (column, pattern) => `${utf8(column)} collate utf8mb4_bin like ${text(pattern)} escape '!'`,
  trimmedEquals(column, value) {
    // TRIM takes one text off, not any of several characters.
    const ends = text(`^[${whitespace}]+|[${whitespace}]+\\z`);
    const rest = `regexp_replace(${utf8(column)} collate utf8mb4_bin, ${ends}, ${text('')})`;
    return `cast(${rest} as binary) = ${hexadecimal(value)}`;
  },
  contains({ name }) {
    throw invalidField(`filter on ${name}`, 'a MySQL database has no arrays');
  },
};

function isText({ type, remoteType }: Column): boolean {
  return type === 'string' && characters.test(remoteType);
}

/** A number or a time as the column holds it: compared with a text, a bigint would be rounded first. */
function literal({ type, remoteType }: Column, value: string): string {
  if (type === 'number') return binaryNumber(value, remoteType)?.toExponential() ?? value;
  if (type === 'datetime') {
    const isDay = value.length === 10;
    return `${isDay ? 'date' : 'timestamp'}${quoting.literal(isDay ? value : value.slice(0, 26))}`;
  }
  return isBits(remoteType) ? quoting.bits(value) : text(value);
}

function isBits(remoteType: string): boolean {
  return /^bit\b/i.test(remoteType);
}

function utf8({ sql, remoteType }: Column): string {
  const width = isBits(remoteType) ? Number(/\d+/.exec(remoteType)?.[0] ?? 1) : undefined;
  return `convert(${width === undefined ? sql : `lpad(bin(${sql}), ${width}, '0')`} using utf8mb4)`;
}

function bytes(column: Column): string {
  return `cast(${utf8(column)} as binary)`;
}

function isAscii(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}
