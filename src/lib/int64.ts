const [zero, minus] = [0x30, 0x2d];
/** Of the lower part of the number; 1e9 = 15258 · 2^16 + 51712. */
const [digits, unit, rest] = [9, 15258, 51712];
const [half, whole] = [0x1_0000, 0x1_0000_0000];

/** A signed 64-bit number in decimal digits becomes eight bytes. With BigInt it would take several times as long. */
export function writeInt64(out: Buffer, at: number, text: Buffer, start: number, end: number): void {
  const isNegative = text[start] === minus;
  const first = isNegative ? start + 1 : start;
  const middle = Math.max(first, end - digits);
  const upper = decimal(text, first, middle);
  // Below 2^50, and so exact: `upper` is below 2^34.
  const product = upper * unit;
  const sum = (product % half) * half + upper * rest + decimal(text, middle, end);
  let low = sum >>> 0;
  let high = Math.floor(product / half) + Math.floor(sum / whole);
  if (isNegative) {
    low = -low >>> 0;
    high = (low === 0 ? -high : ~high) >>> 0;
  }
  out.writeUInt32BE(high, at);
  out.writeUInt32BE(low, at + 4);
}

function decimal(text: Buffer, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < end; at++) number = number * 10 + (text[at] ?? zero) - zero;
  return number;
}
