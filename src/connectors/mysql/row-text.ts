import { hash } from 'node:crypto';
import { floatText } from '../../lib/float-text.ts';
import type { Rendering } from './types.ts';
import {
  bits,
  bytes,
  copied,
  escaped,
  geometry,
  isCalendarDate,
  isPlainDouble,
  number,
  withoutTrailingZeros,
} from './value-text.ts';

export interface RenderedColumn {
  rendering: Rendering;
  /** Of a bit column. */
  width?: number;
  /** The digest of the salt and the value's text goes out instead of it. */
  salt?: string;
}

/** Bytes that a column needs at most beside twice its own: a digest. */
const columnRoom = 80;
const [tab, newline, plus, zero, capitalN, backslash] = [9, 10, 43, 48, 78, 92];
const nullMark = 0xfb;
/** No length: the row ended before it. */
const absent = Number.NaN;
const malformed = 'the server sent a malformed row: a value is longer than its packet';

/**
 * A row of MySQL's text protocol → a line of COPY text, byte by byte. This is the inner loop of everything that is
 * read: no JavaScript value comes of a row, except where a float needs other digits and where a value is hashed.
 */
export class RowText {
  /** By column: values that are not in the calendar and went out as NULL. */
  readonly zeroDates: number[];
  /** Where the bytes of the last row's last column ended. */
  end = 0;
  readonly #columns: readonly RenderedColumn[];
  readonly #salts: readonly (Buffer | undefined)[];

  constructor(columns: readonly RenderedColumn[]) {
    this.#columns = columns;
    this.#salts = columns.map(({ salt }) => (salt === undefined ? undefined : Buffer.from(salt)));
    this.zeroDates = columns.map(() => 0);
  }

  /** Bytes that the line of a row of `length` bytes needs at most. */
  room(length: number): number {
    return columnRoom * this.#columns.length + 2 * length + 1;
  }

  /**
   * Writes the line of the row that is all of `source` from `start` to `stop` to `out` at `to`, or a part of it before others.
   *
   * @returns where the line ends.
   * @throws when a value says that it is longer than the row.
   */
  line(source: Buffer, start: number, stop: number, out: Buffer, to: number): number {
    const count = this.#columns.length;
    let from = start;
    let end = to;
    for (let index = 0; index < count; index++) {
      if (index > 0) out[end++] = tab;
      let length = from < stop ? (source[from++] as number) : absent;
      if (length === nullMark) {
        end = nothing(out, end);
        continue;
      }
      if (length > nullMark) {
        const size = length === 0xfc ? 2 : length === 0xfd ? 3 : 8;
        length = from + size > stop ? absent : source.readUIntLE(from, Math.min(size, 6));
        from += size;
      }
      if (!(from + length <= stop)) throw new Error(malformed);
      const salt = this.#salts[index];
      end =
        salt === undefined
          ? this.#value(index, source, from, length, out, end)
          : this.#digest(index, salt, source, from, length, out, end);
      from += length;
    }
    out[end++] = newline;
    this.end = from;
    return end;
  }

  #value(index: number, source: Buffer, from: number, length: number, out: Buffer, to: number): number {
    const column = this.#columns[index] as RenderedColumn;
    switch (column.rendering) {
      case 'text':
        return escaped(source, from, length, out, to);
      case 'number':
        return number(source, from, length, out, to);
      case 'verbatim':
        return copied(source, from, length, out, to);
      case 'float':
        return (
          to + out.write(floatText(source.toString('latin1', from, from + length), 'single'), to, 'latin1')
        );
      case 'double':
        if (isPlainDouble(source, from, length)) return copied(source, from, length, out, to);
        return (
          to + out.write(floatText(source.toString('latin1', from, from + length), 'double'), to, 'latin1')
        );
      case 'date':
      case 'datetime':
      case 'timestamp':
        return this.#date(index, column.rendering === 'timestamp', source, from, length, out, to);
      case 'time':
        return copied(source, from, withoutTrailingZeros(source, from, length), out, to);
      case 'bytes':
        return bytes(source, from, length, out, to);
      case 'geometry':
        return geometry(source, from, length, out, to);
      case 'bits':
        return bits(source, from, length, column.width ?? 8 * length, out, to);
    }
  }

  #date(
    index: number,
    zoned: boolean,
    source: Buffer,
    from: number,
    length: number,
    out: Buffer,
    to: number,
  ): number {
    if (!isCalendarDate(source, from)) {
      this.zeroDates[index] = (this.zeroDates[index] ?? 0) + 1;
      return nothing(out, to);
    }
    const end = copied(source, from, withoutTrailingZeros(source, from, length), out, to);
    if (!zoned) return end;
    out[end] = plus;
    out[end + 1] = zero;
    out[end + 2] = zero;
    return end + 3;
  }

  /** Of the value's text as a PostgreSQL would have it, so that the same values have the same digest everywhere. */
  #digest(
    index: number,
    salt: Buffer,
    source: Buffer,
    from: number,
    length: number,
    out: Buffer,
    to: number,
  ): number {
    let text = source.subarray(from, from + length);
    if (this.#columns[index]?.rendering === 'text') {
      if (text.includes(0)) text = text.filter((byte) => byte !== 0) as Buffer;
    } else {
      const end = this.#value(index, source, from, length, out, to);
      if (out[end - 1] === capitalN) return end;
      text = out.subarray(out[to] === backslash ? to + 1 : to, end);
    }
    return to + out.write(hash('sha256', Buffer.concat([salt, text])), to, 'latin1');
  }
}

function nothing(out: Buffer, to: number): number {
  out[to] = backslash;
  out[to + 1] = capitalN;
  return to + 2;
}
