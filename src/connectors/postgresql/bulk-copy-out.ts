import { Readable } from 'node:stream';
import type { Connection } from 'pg';
import type { RowStream } from '../contract.ts';
import { lostOrRefused } from './bulk-errors.ts';
import { FrameOpener, FrameSorter } from './bulk-frames.ts';

/** Bytes read ahead of a slow reader. */
const readAhead = 256 * 1024;

type DataListener = (chunk: Buffer) => void;

/**
 * Runs `COPY … TO STDOUT` and gives its rows, as the CopyData frames that carry them or without the frames.
 *
 * While it runs, the socket's bytes come here first: CopyData goes to the reader, everything else (the end,
 * an error, notices) to pg's own parser, which then calls this query back as it would any other. pg-copy-streams
 * would take each row out of its frame: a buffer per row, and four times the CPU time.
 *
 * Destroying the stream closes the connection: there is no other way to end a COPY that is under way.
 */
export class CopyOut extends Readable implements RowStream {
  readonly #sql: string;
  readonly #sorter: FrameSorter;
  #connection: Connection | undefined;
  #pgListeners: DataListener[] = [];
  readonly #listener: DataListener;
  bytes = 0;

  constructor(sql: string, framed: boolean) {
    super({ highWaterMark: readAhead });
    this.#sql = sql;
    const opener = framed ? undefined : new FrameOpener();
    this.#sorter = new FrameSorter({
      copyData: (bytes) => this.#give(opener === undefined ? bytes : opener.open(bytes)),
      other: (bytes) => {
        for (const listener of this.#pgListeners) listener(bytes);
      },
    });
    this.#listener = (chunk) => this.#sorter.push(chunk);
  }

  get rows(): number {
    return this.#sorter.frames;
  }

  #give(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (!this.push(bytes)) this.#connection?.stream.pause();
  }

  override _read(): void {
    this.#connection?.stream.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection?.stream.destroy();
    done(error);
  }

  /** Called by pg when it is this query's turn: the server is idle, so no byte of another message is under way. */
  submit(connection: Connection): void {
    this.#connection = connection;
    this.#pgListeners = connection.stream.listeners('data') as DataListener[];
    for (const listener of this.#pgListeners) connection.stream.off('data', listener);
    connection.stream.on('data', this.#listener);
    connection.query(this.#sql);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    const stream = this.#connection?.stream;
    stream?.off('data', this.#listener);
    for (const listener of this.#pgListeners) stream?.on('data', listener);
    stream?.resume();
    this.#connection = undefined;
    this.push(null);
  }

  /** From the server, or from pg when the connection is lost. */
  handleError(error: Error): void {
    this.destroy(lostOrRefused(error) as Error);
  }
}
