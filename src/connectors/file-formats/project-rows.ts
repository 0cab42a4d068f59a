import { createHash } from 'node:crypto';
import { unescaped } from '../../lib/copy-text.ts';

/** One column of what goes out. */
export interface OutputField {
  /** Position of the column it comes from. Undefined: `constant`. */
  at?: number;
  /** As COPY text. Undefined: NULL. */
  constant?: string;
  /** What becomes of a value that is not NULL. */
  change?: (text: string) => string;
}

const nothing = Buffer.from('\\N');

/** Turns rows of COPY text into rows of other columns. */
export function projector(columns: number, fields: readonly OutputField[]): (rows: Buffer) => Buffer {
  const same =
    fields.length === columns &&
    fields.every(({ at, change }, index) => at === index && change === undefined);
  if (same) return (rows) => rows;
  const constants = fields.map(({ constant }) => (constant === undefined ? nothing : Buffer.from(constant)));
  const starts = new Int32Array(columns + 1);
  return (rows) => {
    const out = new Growing(rows.length * 2);
    let column = 0;
    starts[0] = 0;
    for (let at = 0; at < rows.length; at++) {
      const byte = rows[at];
      if (byte === 0x09) starts[++column] = at + 1;
      if (byte !== 0x0a) continue;
      starts[column + 1] = at + 1;
      fields.forEach((field, index) => {
        if (index > 0) out.byte(0x09);
        const from = field.at === undefined ? 0 : (starts[field.at] as number);
        const value =
          field.at === undefined
            ? (constants[index] as Buffer)
            : rows.subarray(from, (starts[field.at + 1] as number) - 1);
        const changed =
          field.change === undefined || value.equals(nothing)
            ? value
            : Buffer.from(field.change(value.toString()));
        out.append(changed);
      });
      out.byte(0x0a);
      column = 0;
      starts[0] = at + 1;
    }
    return out.bytes();
  };
}

/** Rows with some columns' values changed. */
export async function* changedRows(
  rows: AsyncIterable<Buffer>,
  changes: readonly OutputField['change'][],
): AsyncGenerator<Buffer> {
  const fields = changes.map((change, at) => (change === undefined ? { at } : { at, change }));
  const project = projector(fields.length, fields);
  for await (const chunk of rows) yield project(chunk);
}

/** Lower-case hex SHA-256 of the salt and the value's text. */
export function digestOf(salt: string): (text: string) => string {
  return (text) => createHash('sha256').update(salt).update(unescaped(text)).digest('hex');
}

class Growing {
  #buffer: Buffer;
  #end = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  byte(byte: number): void {
    this.#room(1);
    this.#buffer[this.#end++] = byte;
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  #room(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe((this.#end + bytes) * 2);
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = larger;
  }
}
