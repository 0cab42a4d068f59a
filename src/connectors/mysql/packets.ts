const headerLength = 4;
/** A payload of this length goes on in the next packet. */
const longest = 0xffffff;

/** Called with each whole payload: `source[start..end]`. The bytes are only valid during the call. */
export type OnPacket = (source: Buffer, start: number, end: number) => void;

/** Bytes of MySQL's protocol, cut anywhere → payloads. Most lie whole in a chunk and are not copied; no chunk is kept. */
export class PacketReader {
  readonly #onPacket: OnPacket;
  /** What came of a packet that is not whole yet, and how much must be there before it is worth looking again. */
  #rest: Buffer[] = [];
  #restLength = 0;
  #needed = headerLength;

  constructor(onPacket: OnPacket) {
    this.#onPacket = onPacket;
  }

  push(chunk: Buffer): void {
    let start = 0;
    while (this.#restLength > 0) {
      const end = Math.min(start + this.#needed - this.#restLength, chunk.length);
      this.#rest.push(Buffer.from(chunk.subarray(start, end)));
      this.#restLength += end - start;
      start = end;
      if (this.#restLength < this.#needed) return;
      const whole = Buffer.concat(this.#rest);
      this.#rest = [];
      this.#restLength = 0;
      this.#read(whole, 0);
    }
    this.#read(chunk, start);
  }

  #read(bytes: Buffer, from: number): void {
    let start = from;
    while (bytes.length - start >= headerLength) {
      const end = start + headerLength + bytes.readUIntLE(start, 3);
      if (end - start - headerLength === longest) {
        const after = this.#readLong(bytes, start);
        if (after === undefined) break;
        start = after;
        continue;
      }
      if (end > bytes.length) {
        this.#needed = end - start;
        break;
      }
      this.#onPacket(bytes, start + headerLength, end);
      start = end;
    }
    if (start === bytes.length) return;
    if (bytes.length - start < headerLength) this.#needed = headerLength;
    const rest = Buffer.from(bytes.subarray(start));
    this.#rest = [rest];
    this.#restLength = rest.length;
  }

  /** @returns where the payload that begins at `start` and fills several packets ends; undefined: not yet here. */
  #readLong(bytes: Buffer, start: number): number | undefined {
    const parts: Buffer[] = [];
    let from = start;
    for (let length = longest; length === longest; ) {
      if (bytes.length - from < headerLength) {
        this.#needed = from - start + headerLength;
        return undefined;
      }
      length = bytes.readUIntLE(from, 3);
      from += headerLength;
      if (bytes.length - from < length) {
        this.#needed = from - start + length;
        return undefined;
      }
      parts.push(bytes.subarray(from, from + length));
      from += length;
    }
    const whole = Buffer.concat(parts);
    this.#onPacket(whole, 0, whole.length);
    return from;
  }
}
