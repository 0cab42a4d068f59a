import net from 'node:net';

/** Bytes of one buffer, and how many are kept for reuse. */
const bufferLength = 256 * 1024;
const keptBuffers = 8;

/** Takes what arrives instead of the `data` listeners. Returns false to pause; `resume` goes on. */
export type Reader = (chunk: Buffer) => boolean;

/**
 * A socket that reads into buffers which come back to it. Node's own allocate 64 KiB for every read, and a
 * process that passes gigabytes on then spends a third of its CPU time collecting that garbage.
 */
export class RecyclingSocket extends net.Socket {
  readonly #free: Buffer[];
  reader: Reader | undefined;

  constructor() {
    const free: Buffer[] = [];
    super({
      onread: {
        buffer: () => free.pop() ?? Buffer.allocUnsafeSlow(bufferLength),
        callback: (length, buffer) => this.#take(Buffer.from(buffer.buffer, 0, length)),
      },
    });
    this.#free = free;
  }

  #take(chunk: Buffer): boolean {
    if (this.reader !== undefined) return this.reader(chunk);
    // Other listeners keep what they get: a copy.
    this.emit('data', Buffer.from(chunk));
    this.recycle(chunk);
    return true;
  }

  /** Nobody needs this chunk any more, nor any other part of its memory. */
  recycle(chunk: Buffer): void {
    if (this.#free.length < keptBuffers) this.#free.push(Buffer.from(chunk.buffer));
  }
}
