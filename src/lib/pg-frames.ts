/**
 * Backend messages of PostgreSQL's protocol are frames: one byte of kind, four of length (which counts
 * itself), then the body. CopyData frames look the same in both directions, so rows that leave one server
 * can enter another without being taken out of their frames: one only hops from header to header to see
 * where the other messages lie.
 */
const copyDataKind = 0x64; // 'd'
const headerLength = 5;

export interface FrameReceiver {
  /** Bytes of CopyData frames, headers included. Chunks are cut anywhere, also inside a header. */
  copyData(bytes: Buffer): void;
  /** Bytes of every other frame, headers included, in their order among the others. */
  other(bytes: Buffer): void;
}

/** Sorts the bytes of a backend's messages by kind, without copying. Takes chunks that are cut anywhere. */
export class FrameSorter {
  /** CopyData frames begun so far. */
  frames = 0;
  readonly #receiver: FrameReceiver;
  readonly #header = new HeaderReader();
  #inCopyData = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  push(chunk: Buffer): void {
    const header = this.#header;
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      if (header.atStart) {
        // The first byte tells the kind, so not even a cut header has to be held back.
        const isCopyData = chunk[at] === copyDataKind;
        if (isCopyData) this.frames++;
        if (isCopyData !== this.#inCopyData) {
          this.#give(chunk.subarray(start, at));
          this.#inCopyData = isCopyData;
          start = at;
        }
      }
      at = header.advance(chunk, at);
    }
    this.#give(chunk.subarray(start));
  }

  #give(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#inCopyData) this.#receiver.copyData(bytes);
    else this.#receiver.other(bytes);
  }
}

/** Takes the bodies out of CopyData frames. The body bytes are moved together inside the given chunk. */
export class FrameOpener {
  readonly #header = new HeaderReader();

  open(chunk: Buffer): Buffer {
    const header = this.#header;
    let filled = 0;
    let at = 0;
    while (at < chunk.length) {
      const inBody = header.inBody;
      const next = header.advance(chunk, at);
      if (inBody) {
        chunk.copyWithin(filled, at, next);
        filled += next - at;
      }
      at = next;
    }
    return chunk.subarray(0, filled);
  }
}

/** @param length bytes of the body. */
export function copyDataHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(headerLength);
  header[0] = copyDataKind;
  header.writeUInt32BE(length + headerLength - 1, 1);
  return header;
}

/** Where in a frame the reader stands, across chunks. */
class HeaderReader {
  #seen = 0;
  #length = 0;
  #body = 0;

  get atStart(): boolean {
    return this.#seen === 0 && this.#body === 0;
  }

  get inBody(): boolean {
    return this.#body > 0;
  }

  /** Goes past a header or a body, or as much of it as the chunk has. Returns the new position. */
  advance(chunk: Buffer, at: number): number {
    if (this.#body > 0) {
      const step = Math.min(this.#body, chunk.length - at);
      this.#body -= step;
      return at + step;
    }
    if (this.#seen === 0 && at + headerLength <= chunk.length) {
      this.#body = chunk.readUInt32BE(at + 1) - (headerLength - 1);
      return at + headerLength;
    }
    if (this.#seen > 0) this.#length = this.#length * 256 + (chunk[at] ?? 0);
    this.#seen++;
    if (this.#seen === headerLength) {
      this.#body = this.#length - (headerLength - 1);
      this.#seen = 0;
      this.#length = 0;
    }
    return at + 1;
  }
}
