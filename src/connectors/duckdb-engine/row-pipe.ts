import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import net from 'node:net';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type { RowStream, ValueWarning } from '../contract.ts';
import { nulRemoved, type ReadColumn } from './read-types.ts';

const [tab, newline, nul] = [0x09, 0x0a, 0x00];
/** Bytes read at once, and read ahead of a slow reader. */
const bufferLength = 256 * 1024;
const keptBuffers = 8;

/**
 * The lines that DuckDB writes to a named pipe: no value becomes a JavaScript one, DuckDB waits when the reader
 * is slow, and says itself when it fails. (The driver's streaming results end the same way after an error as
 * after the last row.)
 */
export class RowPipe extends Readable implements RowStream {
  rows = 0;
  bytes = 0;
  sent: number | undefined;
  readonly #columns: readonly Pick<ReadColumn, 'name' | 'rule'>[];
  readonly #pipe: string;
  readonly #write: (pipe: string) => Promise<number>;
  readonly #cancel: () => void;
  readonly #free: Buffer[] = [];
  readonly #lent = new WeakSet<ArrayBufferLike>();
  readonly #counts = new Map<number, number>();
  /** Where the last byte was: the field of its line, and whether that field is counted already. */
  #column = 0;
  #counted = false;
  #socket: net.Socket | undefined;
  #writing = false;
  /** Keeps the pipe from ending before DuckDB has opened it. */
  #writeEnd: number | undefined;

  /**
   * @param pipe a path that nothing has yet.
   * @param write makes DuckDB write to it, and gives the rows it has written.
   * @param cancel ends that at once.
   */
  constructor(
    columns: readonly Pick<ReadColumn, 'name' | 'rule'>[],
    pipe: string,
    write: (pipe: string) => Promise<number>,
    cancel: () => void,
  ) {
    super({ highWaterMark: bufferLength });
    this.#columns = columns;
    this.#pipe = pipe;
    this.#write = write;
    this.#cancel = cancel;
  }

  get warnings(): ValueWarning[] {
    return [...this.#counts].map(([index, count]) => {
      const { name = '', rule = nulRemoved } = this.#columns[index] ?? {};
      return { column: name, rule, count };
    });
  }

  override _construct(done: (error?: Error) => void): void {
    this.#open().then(() => done(), done);
  }

  async #open(): Promise<void> {
    await promisify(execFile)('mkfifo', ['-m', '600', this.#pipe]);
    const fd = openSync(this.#pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#writeEnd = openSync(this.#pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#socket = new net.Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: () => this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferLength),
        callback: (length, buffer) => this.#take(Buffer.from(buffer.buffer, 0, length)),
      },
    });
    this.#socket.on('end', () => this.push(null)).on('error', (error) => this.destroy(error));
    this.#writing = true;
    this.#write(this.#pipe)
      .finally(() => {
        this.#writing = false;
      })
      .then(
        (rows) => {
          this.sent = rows;
          this.#closeWriteEnd();
        },
        (error: Error) => this.destroy(error),
      );
  }

  #closeWriteEnd(): void {
    if (this.#writeEnd !== undefined) closeSync(this.#writeEnd);
    this.#writeEnd = undefined;
  }

  #take(chunk: Buffer): boolean {
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) this.rows++;
    const clean = chunk.includes(nul) ? this.#withoutMarks(chunk) : chunk;
    if (clean === chunk) this.#follow(chunk);
    this.bytes += clean.length;
    this.#lent.add(clean.buffer);
    return this.push(clean);
  }

  /** Keeps count of the fields of a line that goes on in the next chunk. */
  #follow(chunk: Buffer): void {
    const line = chunk.lastIndexOf(newline) + 1;
    if (line > 0) this.#column = 0;
    for (let at = chunk.indexOf(tab, line); at >= 0; at = chunk.indexOf(tab, at + 1)) {
      this.#column++;
      this.#counted = false;
    }
    if (line > 0 && this.#column === 0) this.#counted = false;
  }

  #withoutMarks(chunk: Buffer): Buffer {
    let length = 0;
    for (const byte of chunk) {
      if (byte === nul) {
        if (!this.#counted) this.#counts.set(this.#column, (this.#counts.get(this.#column) ?? 0) + 1);
        this.#counted = true;
        continue;
      }
      if (byte === tab || byte === newline) {
        this.#column = byte === tab ? this.#column + 1 : 0;
        this.#counted = false;
      }
      chunk[length++] = byte;
    }
    return chunk.subarray(0, length);
  }

  /** Gives a chunk back whose bytes are not needed any more: its memory takes other rows. */
  recycle(chunk: Buffer): void {
    if (this.#lent.delete(chunk.buffer) && this.#free.length < keptBuffers) {
      this.#free.push(Buffer.from(chunk.buffer));
    }
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy();
    this.#closeWriteEnd();
    if (this.#writing) this.#cancel();
    done(error);
  }
}
