import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Client } from 'pg';
import { checkMessage, MalformedMessage } from './check-message.ts';

const headerLength = 5;
/** Bytes: no server sends more in one message. */
const longest = 0x4000_0000;

/** What pg has and its types do not mention: where its parser begins to listen, on a socket or on the TLS around it. */
interface Internals {
  connection: { attachListeners(stream: EventEmitter): void };
}

/**
 * Has what is wrong with a server's messages, or what the driver throws over one that comes out of turn, end the session with
 * an error. By itself the driver throws within the socket's listener, which ends the process.
 */
export function guardParser(client: Client): void {
  const { connection } = client as unknown as Internals;
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    const checked = new EventEmitter();
    attach(checked);
    const messages = new Messages((whole) => checked.emit('data', whole));
    stream.on('data', (chunk: Buffer) => {
      try {
        messages.push(chunk);
      } catch (error) {
        (stream as Duplex).destroy(error as Error);
      }
    });
    stream.on('end', () => checked.emit('end'));
  };
}

/** A server's bytes, cut anywhere → whole messages that have been looked at. */
class Messages {
  readonly #give: (whole: Buffer) => void;
  /** What came of a message that is not whole yet, and how long that will be. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #needed = headerLength;

  constructor(give: (whole: Buffer) => void) {
    this.#give = give;
  }

  /** @throws MalformedMessage, after it has given what came before. */
  push(chunk: Buffer): void {
    this.#rest.push(chunk);
    this.#restLength += chunk.length;
    if (this.#restLength < this.#needed) return;
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest);
    const { end, fault } = this.#check(bytes);
    this.#rest = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#restLength = bytes.length - end;
    if (end > 0) this.#give(bytes.subarray(0, end));
    if (fault !== undefined) throw fault;
  }

  /** @returns where the last message that is whole and well formed ends. */
  #check(bytes: Buffer): { end: number; fault?: unknown } {
    let end = 0;
    this.#needed = headerLength;
    while (end + headerLength <= bytes.length) {
      const kind = bytes[end] as number;
      const length = 1 + bytes.readUInt32BE(end + 1);
      if (length < headerLength || length > longest) return { end, fault: new MalformedMessage(kind) };
      if (end + length > bytes.length) {
        this.#needed = length;
        break;
      }
      try {
        checkMessage(kind, bytes, end + headerLength, end + length);
      } catch (fault) {
        return { end, fault };
      }
      end += length;
    }
    return { end };
  }
}
