import type { Duplex } from 'node:stream';
import type { Connection } from 'mysql2/promise';
import { RecyclingSocket } from '../../lib/recycling-socket.ts';

/** What mysql2 has and its types do not mention. */
interface Internals {
  stream: Duplex;
  query(options: { sql: string }, done: (error: Error | null) => void): unknown;
}

export interface Handlers {
  /** Bytes of the answer, valid during the call. Returns false to pause; `resume` goes on. */
  data(chunk: Buffer): boolean;
  /** The statement is done, by `complete`. */
  end(): void;
  /** It was refused, by `refused`, or the connection was lost. */
  error(error: Error): void;
}

/** The statement's answer, as whoever reads it sees it. */
export interface Answer {
  resume(): void;
  /** Closes the connection. */
  destroy(): void;
  complete(): void;
  /** @param payload of the server's error packet. */
  refused(payload: Buffer): void;
}

type Listener = (chunk: Buffer) => void;
/** Of the packet after the one that carried the statement. */
const sequence = 1;
const okPacket = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/**
 * Sends a statement through mysql2 and takes the bytes of its answer before mysql2 sees them: it would make objects
 * of every row. The last packet goes back to it, so that it knows that the connection is free again.
 */
export function takeSocket(connection: Connection, sql: string, handlers: Handlers): Answer {
  const { connection: internals } = connection as unknown as { connection: Internals };
  const { stream } = internals;
  const listener: Listener = (chunk) => {
    if (!handlers.data(chunk)) stream.pause();
  };
  const release = () => {
    if (stream instanceof RecyclingSocket) stream.reader = undefined;
    else stream.off('data', listener);
  };
  internals.query({ sql }, (error) => {
    release();
    process.nextTick(() => (error === null ? handlers.end() : handlers.error(error)));
  });
  const others = stream.listeners('data') as Listener[];
  if (stream instanceof RecyclingSocket) {
    stream.reader = (chunk) => {
      const more = handlers.data(chunk);
      stream.recycle(chunk);
      return more;
    };
  } else {
    for (const other of others) stream.off('data', other);
    stream.on('data', listener);
  }

  const giveBack = (payload: Buffer) => {
    release();
    const header = Buffer.from([payload.length & 0xff, payload.length >> 8, 0, sequence]);
    for (const other of others) {
      if (!(stream instanceof RecyclingSocket)) stream.on('data', other);
      other(Buffer.concat([header, payload]));
    }
  };
  return {
    resume: () => void stream.resume(),
    destroy: () => void stream.destroy(),
    complete: () => giveBack(okPacket),
    refused: giveBack,
  };
}
