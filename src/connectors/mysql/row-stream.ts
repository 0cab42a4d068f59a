import { Readable } from 'node:stream';
import type { Connection } from 'mysql2/promise';
import type { RowStream, ValueWarning } from '../contract.ts';
import { tooLarge } from '../sampled.ts';
import { rowsOf } from './client.ts';
import { lostOrRefused } from './errors.ts';
import { PacketReader } from './packets.ts';
import { isClean, repaired } from './repair.ts';
import { type RenderedColumn, RowText } from './row-text.ts';
import { type Answer, takeSocket } from './take-socket.ts';
import { Warnings } from './warnings.ts';

export interface StreamedColumn extends RenderedColumn {
  name: string;
  /** NULs are not left out. */
  keepsNul?: boolean;
}

/** Bytes read ahead of a slow reader, and of one chunk. */
const readAhead = 1024 * 1024;
const chunkLength = 256 * 1024;
const keptChunks = 8;
const [eofMark, errorMark] = [0xfe, 0xff];

/**
 * Runs a SELECT and gives its rows as lines of COPY text, whole lines in every chunk. After the named columns may
 * come others with 0 or 1, one for each of `checked`: 0 says that the text of that column was changed by the server. With more
 * bytes than `most` it fails as a sample that is too large.
 *
 * While it runs the socket's bytes come here. Destroying the stream closes the connection: the server notices when
 * it sends the next row.
 */
export class SelectedRows extends Readable implements RowStream {
  rows = 0;
  bytes = 0;
  sent: number | undefined;
  readonly #connection: Connection;
  readonly #columns: readonly StreamedColumn[];
  readonly #checked: readonly string[];
  readonly #text: RowText;
  readonly #warnings = new Warnings();
  readonly #socket: Answer;
  /** Column definitions and the end of them, still to come; undefined: their number, too. */
  #definitions: number | undefined;
  #out: Buffer = Buffer.allocUnsafeSlow(chunkLength);
  #length = 0;
  #full = false;
  #received = 0;
  /** Chunks that came back: their memory takes other rows. */
  readonly #free: Buffer[] = [];

  constructor(
    connection: Connection,
    sql: string,
    columns: readonly StreamedColumn[],
    checked: readonly string[] = [],
    most = Number.POSITIVE_INFINITY,
  ) {
    super({ highWaterMark: readAhead });
    this.#connection = connection;
    this.#columns = columns;
    this.#checked = checked;
    this.#text = new RowText(columns);
    const packets = new PacketReader((source, start, end) => this.#packet(source, start, end));
    this.#socket = takeSocket(connection, sql, {
      data: (chunk) => {
        this.#received += chunk.length;
        try {
          if (this.#received > most) throw tooLarge();
          // A row is put together before it is rendered, however long it is.
          packets.push(chunk);
        } catch (error) {
          this.destroy(error as Error);
        }
        return !this.#full && !this.destroyed;
      },
      end: () => void this.#end().catch((error) => this.destroy(lostOrRefused(error) as Error)),
      error: (error) => this.destroy(lostOrRefused(error) as Error),
    });
  }

  get warnings(): readonly ValueWarning[] {
    return this.#warnings.list;
  }

  #packet(source: Buffer, start: number, end: number): void {
    if (start === end) throw new Error('the server sent an empty packet');
    const first = source[start] as number;
    if (first === errorMark) this.#socket.refused(source.subarray(start, end));
    else if (this.#definitions === undefined)
      // A number above 250 has a mark before it.
      this.#definitions = end - start > 1 ? source.readUInt16LE(start + 1) : first;
    else if (this.#definitions >= 0) this.#definitions--;
    else if (first === eofMark && end - start < 9) this.#socket.complete();
    else this.#row(source, start, end);
  }

  #row(source: Buffer, start: number, end: number): void {
    const room = this.#text.room(end - start);
    if (this.#out.length - this.#length < room) {
      this.#flush();
      this.#out = this.#buffer(room);
    }
    this.#length = this.#text.line(source, start, end, this.#out, this.#length);
    this.rows++;
    let at = this.#text.end;
    for (const name of this.#checked) {
      if (at >= end) throw new Error('the server sent a malformed row: it ends before its last column');
      if (source[at] === 1 && source[at + 1] === 0x30) this.#warnings.add(name, 'invalid_text_replaced');
      at += source[at] === 1 ? 2 : 1;
    }
  }

  #buffer(room: number): Buffer {
    if (room > chunkLength) return Buffer.allocUnsafeSlow(room);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(chunkLength);
  }

  /** Gives what has been rendered. */
  #flush(): void {
    if (this.#length === 0) return;
    const lines = this.#out.subarray(0, this.#length);
    this.#length = 0;
    const clean = isClean(lines) ? lines : repaired(lines, this.#columns, this.#warnings);
    this.bytes += clean.length;
    this.#full = !this.push(clean);
  }

  recycle(chunk: Buffer): void {
    const { buffer } = chunk;
    if (buffer.byteLength === chunkLength && this.#free.length < keptChunks)
      this.#free.push(Buffer.from(buffer));
  }

  async #end(): Promise<void> {
    // The protocol does not say how many rows there were.
    const [row] = await rowsOf<{ n: string }>(this.#connection, 'select found_rows() as n');
    this.sent = Number(row?.n);
    this.#flush();
    this.#columns.forEach(({ name }, index) => {
      this.#warnings.add(name, 'zero_date_nulled', this.#text.zeroDates[index]);
    });
    this.push(null);
  }

  override _read(): void {
    this.#full = false;
    this.#socket.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.readableEnded) this.#socket.destroy();
    done(error);
  }
}
