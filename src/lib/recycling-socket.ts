import net from 'node:net';

/** Bytes of one buffer, the least that a read may be given of it, and how many free ones are kept. */
const bufferLength = 256 * 1024;
const leastRoom = 64 * 1024;
const keptBuffers = 8;

/** Takes what arrives instead of the `data` listeners. Returns false to pause; `resume` goes on. */
export type Reader = (chunk: Buffer) => boolean;

/**
 * A socket that reads into buffers which come back to it. Node's own allocate 64 KiB for every read, and a
 * process that passes gigabytes on then spends a third of its CPU time collecting that garbage.
 */
export class RecyclingSocket extends net.Socket {
  readonly #memory: Memory;
  reader: Reader | undefined;

  constructor() {
    const memory = new Memory();
    super({
      onread: {
        buffer: () => memory.room(),
        callback: (length, buffer) => this.#take(memory.fill(buffer as Buffer, length)),
      },
    });
    this.#memory = memory;
  }

  #take(chunk: Buffer): boolean {
    if (this.reader !== undefined) return this.reader(chunk);
    // Other listeners keep what they get: a copy.
    this.emit('data', Buffer.from(chunk));
    this.recycle(chunk);
    return true;
  }

  /** Nobody needs this chunk any more. Once for each chunk that was read. */
  recycle(chunk: Buffer): void {
    this.#memory.release(chunk);
  }
}

/**
 * Buffers that are filled one behind the other. What is read is often small (PostgreSQL sends 8 KiB at a time), and a
 * buffer for each would be made and collected for every few rows.
 */
class Memory {
  #current: Buffer = Buffer.allocUnsafeSlow(bufferLength);
  /** Bytes of it that are in use or were. */
  #filled = 0;
  /** Chunks of each buffer that have not come back. Those that never do let go of their buffer by themselves. */
  readonly #out = new WeakMap<ArrayBufferLike, number>();
  readonly #free: Buffer[] = [];

  /** Where the next read goes. */
  room(): Buffer {
    if (bufferLength - this.#filled < leastRoom) {
      this.#current = this.#free.pop() ?? Buffer.allocUnsafeSlow(bufferLength);
      this.#filled = 0;
    }
    return this.#current.subarray(this.#filled);
  }

  /** @param room that was given last: now the first `length` bytes of it are in use. */
  fill(room: Buffer, length: number): Buffer {
    this.#filled = room.byteOffset + length;
    this.#out.set(room.buffer, (this.#out.get(room.buffer) ?? 0) + 1);
    return room.subarray(0, length);
  }

  release({ buffer }: Buffer): void {
    const out = (this.#out.get(buffer) ?? 0) - 1;
    this.#out.set(buffer, out);
    if (out !== 0) return;
    if (buffer === this.#current.buffer) this.#filled = 0;
    else if (this.#free.length < keptBuffers) this.#free.push(Buffer.from(buffer));
  }
}
