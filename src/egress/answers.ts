import type { Socket } from 'node:net';

/** Bytes that an interim response may have, and those of a status line up to its status. */
const longestInterim = 16 * 1024;
const statusLine = 'HTTP/1.# ###';

/**
 * Looks at the first bytes of every answer on an HTTP/1 socket, before undici does: takes out interim responses, which a
 * client must accept whatever it asked for (RFC 9110, 15.2) and undici refuses (100), and keeps what a failure can be
 * told by: whether anything came, and which status.
 */
export class Answers {
  #held: Buffer | undefined;
  #begun = false;
  #paused = false;
  readonly #socket: Socket;
  /** Of the answer that is coming in. */
  status: number | undefined;
  /** Its first byte. */
  first: number | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      for (;;) {
        if (this.#paused) return null;
        const chunk = read(size) as Buffer | null;
        if (chunk === null || this.#begun) return chunk;
        const passed = this.#look(this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]));
        if (passed !== undefined) return passed;
      }
    };
  }

  /** What comes stays in the socket. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // undici reads when it hears this.
    this.#socket.emit('readable');
  }

  /** The next bytes begin an answer. */
  expect(): void {
    this.#paused = false;
    this.#begun = false;
    this.#held = undefined;
    this.status = undefined;
    this.first = undefined;
  }

  /** @returns what is undici's; undefined while more has to come. */
  #look(bytes: Buffer): Buffer | undefined {
    this.first ??= bytes[0];
    this.#held = undefined;
    for (let rest = bytes; ; ) {
      const line = rest.toString('latin1', 0, statusLine.length);
      const isStatus = [...line].every((c, at) =>
        statusLine[at] === '#' ? /\d/.test(c) : statusLine[at] === c,
      );
      if (isStatus && line.length < statusLine.length) return this.#hold(rest);
      const status = isStatus ? Number(line.slice(-3)) : undefined;
      // 101 is an answer: there is nothing to switch to, and undici says so.
      if (status === undefined || status < 100 || status > 199 || status === 101) {
        this.#begun = true;
        this.status = status;
        return rest;
      }
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1 && rest.length < longestInterim) return this.#hold(rest);
      if (end === -1) {
        this.#begun = true;
        return rest;
      }
      rest = rest.subarray(end + 4);
      if (rest.length === 0) return undefined;
    }
  }

  #hold(bytes: Buffer): undefined {
    this.#held = bytes;
  }
}
