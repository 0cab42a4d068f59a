import { Transform, type TransformCallback } from 'node:stream';
import type { RowStream, ValueWarning } from '../contract.ts';

const [tab, newline] = [0x09, 0x0a];

/** Values of COPY text, of which some are changed: counts them by column. */
export class ChangedValues {
  readonly #rule: string;
  readonly #columns: readonly string[];
  readonly #counts = new Map<number, number>();
  #column = 0;
  /** The column whose value under way has been counted; -1: none. */
  #counted = -1;

  constructor(rule: string, columns: readonly string[]) {
    this.#rule = rule;
    this.#columns = columns;
  }

  /** Goes on behind bytes in which nothing was changed. */
  pass(bytes: Buffer): void {
    const line = bytes.lastIndexOf(newline);
    if (line >= 0) this.#column = 0;
    let found = false;
    for (let at = bytes.indexOf(tab, line + 1); at >= 0; at = bytes.indexOf(tab, at + 1)) {
      this.#column++;
      found = true;
    }
    if (line >= 0 || found) this.#counted = -1;
  }

  /** The value where it now is was changed. */
  change(): void {
    if (this.#counted === this.#column) return;
    this.#counted = this.#column;
    this.#counts.set(this.#column, (this.#counts.get(this.#column) ?? 0) + 1);
  }

  get warnings(): ValueWarning[] {
    return [...this.#counts]
      .toSorted(([a], [b]) => a - b)
      .map(([column, count]) => ({ column: this.#columns[column] ?? '', rule: this.#rule, count }));
  }
}

/** Makes other bytes of the bytes of COPY text. `bytes` ends between characters of well-formed UTF-8. */
export type Rewrite = (bytes: Buffer, values: ChangedValues) => Buffer;

/** Rows on their way, rewritten. */
export class RewrittenRows extends Transform implements RowStream {
  readonly #source: RowStream;
  readonly #values: ChangedValues;
  readonly #rewrite: Rewrite;
  /** The beginning of a character whose end has not come. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: RowStream, values: ChangedValues, rewrite: Rewrite) {
    super();
    this.#source = source;
    this.#values = values;
    this.#rewrite = rewrite;
    source.once('error', (error) => this.destroy(error));
    source.pipe(this);
  }

  get rows(): number {
    return this.#source.rows;
  }

  get bytes(): number {
    return this.#source.bytes;
  }

  get sent(): number | undefined {
    return this.#source.sent;
  }

  get warnings(): readonly ValueWarning[] {
    return [...(this.#source.warnings ?? []), ...this.#values.warnings];
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = endOfCharacters(bytes);
    // A copy: the chunk's memory may be used again.
    this.#rest = Buffer.from(bytes.subarray(end));
    done(null, this.#rewrite(Buffer.from(bytes.subarray(0, end)), this.#values));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#rest.length === 0 ? null : this.#rewrite(this.#rest, this.#values));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.destroy();
    done(error);
  }
}

/** Where a character begins at the end of bytes that is not whole. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}
