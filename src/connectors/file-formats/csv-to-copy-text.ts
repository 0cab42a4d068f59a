import { TidemarkError } from '../../errors.ts';

const tab = 0x09;
const newline = 0x0a;
const carriageReturn = 0x0d;
const doubleQuote = 0x22;
const backslash = 0x5c;

/** Where the scan is: in front of a field, in a bare one, in a quoted one and there behind an escape or a quote. */
type Place = 'before' | 'bare' | 'quoted' | 'escaped' | 'closing';

export interface CsvLayout {
  /** What the file is called in a message. */
  name: string;
  /** The byte between two fields. */
  delimiter: number;
  /** The byte around fields, `"` by default; null where there is none. */
  quote?: number | null;
  /** The byte that takes the meaning from the next one in a quoted field. A doubled quote is one without it, too. */
  escape?: number;
  /** Fields that each row has to have. Undefined: rows are taken as they are. */
  fields?: number;
}

/**
 * CSV (RFC 4180, any delimiter; LF, CRLF or CR, as the first line ends) → COPY text lines. An empty bare field is NULL, an empty quoted one is an
 * empty text. Nothing else is interpreted: spaces stay, and so does a quote in the middle of a bare field.
 *
 * A scan by bytes of our own: it streams, it tells NULL from empty, and it says in which line a file is broken.
 */
export class CsvToCopyText {
  rows = 0;
  /** NUL bytes that were left out, by the field's position: no text of PostgreSQL can hold one. */
  readonly nuls = new Map<number, number>();
  readonly #layout: CsvLayout;
  #place: Place = 'before';
  /** Lines of the file so far, and where the quoted field under way began. */
  #line = 1;
  #opened = 0;
  #fields = 0;
  /** The row has a byte of its own, so that it is not a blank line. */
  #some = false;
  /** A carriage return that is part of the row's end when a newline follows. */
  #held = false;
  /** How the first line ends. A carriage return alone ends rows only where it ended that one. */
  #ends: 'newline' | 'return' | undefined;

  constructor(layout: CsvLayout) {
    this.#layout = layout;
  }

  /** Of the row under way, so far. */
  get fields(): number {
    return this.#fields + 1;
  }

  /** @throws unprocessable with the line that is broken. */
  push(chunk: Uint8Array): Buffer {
    // A byte becomes two at most, and a NULL two more.
    const out = Buffer.allocUnsafe(chunk.length * 3 + 16);
    const { delimiter, quote = doubleQuote, escape: escapes = -1 } = this.#layout;
    let place = this.#place;
    let end = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] as number;
      if (this.#held && byte !== newline) {
        this.#held = false;
        this.#ends ??= 'return';
        if (this.#ends === 'return') {
          end = this.#endRow(out, end, place);
          place = 'before';
        } else {
          if (place === 'closing') throw this.#broken(behindQuote);
          if (place === 'before') place = 'bare';
          out[end++] = backslash;
          out[end++] = 0x72;
        }
      }
      if (place === 'escaped') place = 'quoted';
      else if (place === 'quoted') {
        if (byte === escapes && byte !== quote) {
          place = 'escaped';
          continue;
        }
        if (byte === quote) {
          place = 'closing';
          continue;
        }
        if (byte === newline) this.#line++;
      } else if (place === 'closing' && byte === quote) {
        out[end++] = byte;
        place = 'quoted';
        continue;
      } else if (byte === delimiter) {
        if (place === 'before') end = writeNull(out, end);
        this.#fields++;
        this.#some = true;
        out[end++] = tab;
        place = 'before';
        continue;
      } else if (byte === newline) {
        this.#ends ??= 'newline';
        end = this.#endRow(out, end, place);
        place = 'before';
        continue;
      } else if (byte === carriageReturn) {
        this.#held = true;
        continue;
      } else if (place === 'closing') {
        throw this.#broken(behindQuote);
      } else if (place === 'before' && byte === quote) {
        this.#opened = this.#line;
        this.#some = true;
        place = 'quoted';
        continue;
      } else {
        place = 'bare';
      }
      if (byte === 0) {
        this.nuls.set(this.#fields, (this.nuls.get(this.#fields) ?? 0) + 1);
        continue;
      }
      // A byte of a value.
      if (byte === backslash || byte === tab || byte === newline || byte === carriageReturn) {
        out[end++] = backslash;
        out[end++] = byte === backslash ? byte : byte === tab ? 0x74 : byte === newline ? 0x6e : 0x72;
      } else out[end++] = byte;
    }
    this.#place = place;
    return out.subarray(0, end);
  }

  /** The last row, where no line break follows it. */
  end(): Buffer {
    const place = this.#place;
    if (place === 'quoted' || place === 'escaped') {
      throw this.#broken(`the quoted field that begins in line ${this.#opened} never ends`);
    }
    if (place === 'before' && !this.#some) return Buffer.alloc(0);
    const out = Buffer.allocUnsafe(3);
    return out.subarray(0, this.#endRow(out, 0, place));
  }

  #endRow(out: Buffer, from: number, place: Place): number {
    const { fields } = this.#layout;
    let end = from;
    this.#held = false;
    const blank = place === 'before' && !this.#some;
    if (blank && fields !== 1) {
      this.#line++;
      return end;
    }
    const found = this.#fields + 1;
    if (fields !== undefined && found !== fields) {
      throw this.#broken(`it has ${found} fields, where the first line has ${fields}`);
    }
    if (place === 'before') end = writeNull(out, end);
    out[end++] = newline;
    this.rows++;
    this.#line++;
    this.#fields = 0;
    this.#some = false;
    return end;
  }

  #broken(what: string): TidemarkError {
    return new TidemarkError('unprocessable', {
      reason: `${this.#layout.name}, line ${this.#line}: ${what}`,
    });
  }
}

const behindQuote =
  'a quoted field goes on behind its closing quote; if a quote within it is escaped, name the escape in the configuration';

function writeNull(out: Buffer, end: number): number {
  out[end] = backslash;
  out[end + 1] = 0x4e;
  return end + 2;
}
