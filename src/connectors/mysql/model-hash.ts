import type { Column } from './columns.ts';
import { identifier } from './quote.ts';

export const hashName = '_tidemark_hash';

/**
 * A signed 64-bit hash over the fields as one row, computed where the data is, so that unchanged records never travel.
 * The lengths tell one field from the next and NULL from empty. A row of more than max_allowed_packet cannot be put
 * together by the server, which then says NULL: there the fields are hashed one by one.
 */
export function hashExpression(columns: readonly Column[]): string {
  return `conv(left(${digestExpression(columns)}, 16), 16, -10)`;
}

/** SHA-256 in hexadecimal digits. */
export function digestExpression(columns: readonly Column[]): string {
  const texts = columns.map((column) => exactText(column));
  const whole = texts.map((text) => `ifnull(length(${text}), '~'), ':', ifnull(${text}, '')`);
  const digests = texts.map((text) => `ifnull(sha2(${text}, 256), '~')`);
  return `ifnull(sha2(concat('', ${whole.join(', ')}), 256), sha2(concat('', ${digests.join(', ')}), 256))`;
}

/** Bytes that are other for every other value. @param relation that the column is one of, as SQL. */
export function exactText({ name, rendering }: Column, relation?: string): string {
  const column = relation === undefined ? identifier(name) : `${relation}.${identifier(name)}`;
  switch (rendering) {
    case 'text':
    case 'bytes':
      return `cast(${column} as binary)`;
    case 'float':
    case 'double':
      return `cast(${column} * 1e0 as char)`;
    case 'bits':
      return `cast(${column} + 0 as char)`;
    case 'geometry':
      return `hex(${column})`;
    default:
      return `cast(${column} as char)`;
  }
}
