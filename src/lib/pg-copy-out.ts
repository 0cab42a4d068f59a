import { Readable, type ReadableOptions } from 'node:stream';
import type { Connection } from 'pg';
import { FrameOpener, FrameSorter } from './pg-frames.ts';
import { type Reader, RecyclingSocket } from './recycling-socket.ts';

/**
 * How much is read ahead of a slow reader: bytes, which it then gets in one piece, or chunks of 64 KiB mostly, which it gets
 * as they came. To move them together takes time, and a reader that writes each of them on takes less of it for few.
 */
export const bytesAhead: ReadableOptions = { highWaterMark: 1024 * 1024 };
const chunksAhead: ReadableOptions = { objectMode: true, highWaterMark: 64 };

type DataListener = (chunk: Buffer) => void;

/**
 * Runs `COPY … TO STDOUT` and gives its rows, as the CopyData frames that carry them or without the frames.
 *
 * While it runs, the socket's bytes come here first: CopyData goes to the reader, everything else (the end,
 * an error, notices) to pg's own parser, which then calls this query back as it would any other. pg-copy-streams
 * would take each row out of its frame: a buffer per row, and several times the CPU time.
 *
 * Destroying the stream closes the connection: there is no other way to end a COPY that is under way.
 */
export class CopyOut extends Readable {
  bytes = 0;
  /** Rows by the server's word; undefined until it has said so. */
  sent: number | undefined;
  readonly #sql: string;
  readonly #framed: boolean;
  readonly #sorter: FrameSorter;
  #connection: Connection | undefined;
  #pgListeners: DataListener[] = [];
  /**
   * Pieces that are all of what was read at a time, so that they may come back as a whole. Held weakly: not every
   * reader gives them back, and would have the whole table in memory at its end.
   */
  readonly #lent = new WeakSet<Buffer>();
  #pieces = 0;
  #given: Buffer | undefined;
  #full = false;

  constructor(sql: string, framed: boolean, ahead = chunksAhead) {
    super(ahead);
    this.#sql = sql;
    this.#framed = framed;
    const opener = framed ? undefined : new FrameOpener();
    this.#sorter = new FrameSorter({
      copyData: (bytes) => this.#give(opener === undefined ? bytes : opener.open(bytes)),
      other: (bytes) => {
        this.#pieces++;
        for (const listener of this.#pgListeners) listener(Buffer.from(bytes));
      },
    });
  }

  /** A row is a frame. The binary form has one more at its end. */
  get rows(): number {
    const { frames } = this.#sorter;
    return this.#framed && this.sent !== undefined ? frames - 1 : frames;
  }

  /** Gives a chunk back whose bytes are not needed any more: its memory takes other rows. */
  recycle(chunk: Buffer): void {
    const socket = this.#connection?.stream;
    if (this.#lent.delete(chunk) && socket instanceof RecyclingSocket) socket.recycle(chunk);
  }

  readonly #read: Reader = (chunk) => {
    this.#pieces = 0;
    this.#sorter.push(chunk);
    if (this.#pieces === 1 && this.#given !== undefined) this.#lent.add(this.#given);
    this.#given = undefined;
    return !this.#full;
  };

  readonly #listener: DataListener = (chunk) => {
    this.#sorter.push(chunk);
    if (this.#full) this.#connection?.stream.pause();
  };

  #give(bytes: Buffer): void {
    this.#pieces++;
    this.#given = bytes;
    this.bytes += bytes.length;
    this.#full = !this.push(bytes);
  }

  override _read(): void {
    this.#full = false;
    this.#connection?.stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection?.stream.destroy();
    done(error);
  }

  /** Called by pg when it is this query's turn: the server is idle, so no byte of another message is under way. */
  submit(connection: Connection): void {
    const { stream } = connection;
    this.#connection = connection;
    this.#pgListeners = stream.listeners('data') as DataListener[];
    if (stream instanceof RecyclingSocket) stream.reader = this.#read;
    else {
      for (const listener of this.#pgListeners) stream.off('data', listener);
      stream.on('data', this.#listener);
    }
    connection.query(this.#sql);
  }

  handleCommandComplete({ text }: { text: string }): void {
    const rows = /^COPY (\d+)$/.exec(text)?.[1];
    this.sent = rows === undefined ? undefined : Number(rows);
  }

  handleReadyForQuery(): void {
    const stream = this.#connection?.stream;
    this.#connection = undefined;
    if (stream instanceof RecyclingSocket) stream.reader = undefined;
    else if (stream !== undefined) {
      stream.off('data', this.#listener);
      for (const listener of this.#pgListeners) stream.on('data', listener);
    }
    this.push(null);
  }

  /** From the server, or from pg when the connection is lost. */
  handleError(error: Error): void {
    this.destroy(error);
  }
}
