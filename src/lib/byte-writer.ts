/** Bytes that are written one after the other. Who writes `bytes` itself reserves room first, and moves `at`. */
export class ByteWriter {
  bytes: Buffer;
  /** Where the next byte goes. */
  at = 0;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafe(length);
  }

  /** Makes room for so many bytes more. */
  reserve(length: number): void {
    if (this.at + length <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.bytes.length + length);
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.at++] = byte;
  }

  text(text: string): void {
    this.reserve(3 * text.length);
    this.at += this.bytes.write(text, this.at);
  }

  copy(source: Buffer, start = 0, end = source.length): void {
    this.reserve(end - start);
    const { bytes } = this;
    let { at } = this;
    // Most pieces are short: to call Buffer.copy would take longer.
    if (end - start > 64) at += source.copy(bytes, at, start, end);
    else for (let from = start; from < end; from++) bytes[at++] = source[from] ?? 0;
    this.at = at;
  }

  /** In decimal digits. @param n 0 or more. */
  digits(n: number): void {
    let length = 1;
    for (let rest = n; rest >= 10; rest = Math.floor(rest / 10)) length++;
    this.reserve(length);
    let rest = n;
    for (let at = this.at + length - 1; at >= this.at; at--) {
      this.bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
    this.at += length;
  }

  /** Begins anew in the same memory: nobody may need any more what was written. */
  clear(): void {
    this.at = 0;
  }

  /** What was written. */
  written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }
}
