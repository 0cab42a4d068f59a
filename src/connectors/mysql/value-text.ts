/** Values of MySQL's text protocol as COPY text: each function writes at `to` and returns where the text ends. */

const [tab, newline, carriageReturn, backslash, minus, dot, zero, exponentMark] = [
  9, 10, 13, 92, 45, 46, 48, 101,
];
const fourZeros = 0x30303030;
const hexDigits = Buffer.from('0123456789abcdef');
/** What stands behind the backslash for a byte that COPY reads otherwise; 0 for all others. */
const escapeOf = new Uint8Array(256);
escapeOf[tab] = 0x74;
escapeOf[newline] = 0x6e;
escapeOf[carriageReturn] = 0x72;
escapeOf[backslash] = backslash;

export function copied(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  for (let index = 0; index < length; index++) out[to + index] = source[from + index] as number;
  return to + length;
}

export function escaped(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  let end = to;
  for (let index = from; index < from + length; index++) {
    const byte = source[index] as number;
    const code = escapeOf[byte] as number;
    if (code === 0) out[end++] = byte;
    else {
      out[end++] = backslash;
      out[end++] = code;
    }
  }
  return end;
}

/** Without the zeros in front that ZEROFILL and years have. */
export function number(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  let skipped = 0;
  while (source[from + skipped] === zero && skipped < length - 1 && source[from + skipped + 1] !== dot)
    skipped++;
  return copied(source, from + skipped, length - skipped, out, to);
}

/** The length without zeros at the end of a fraction. */
export function withoutTrailingZeros(source: Buffer, from: number, length: number): number {
  // hh:mm:ss.ffffff: without a fraction the byte before the last three is no point.
  let point = from + length - 1;
  while (point > from && source[point] !== dot && point > from + length - 8) point--;
  if (source[point] !== dot) return length;
  let end = from + length;
  while (source[end - 1] === zero) end--;
  if (end - 1 === point) end--;
  return end - from;
}

/** `\x` and the digits, as bytea: the backslash is escaped. */
export function bytes(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  return hex(source, from, length, out, hexMark(out, to));
}

/**
 * MySQL keeps the SRID in four bytes before the WKB; EWKB has it behind the type, with a flag in the type.
 * Little-endian, as MySQL stores it on every machine.
 */
export function geometry(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  let end = hexMark(out, to);
  if (source.readUInt32LE(from) === 0) return hex(source, from + 4, length - 4, out, end);
  end = hex(source, from + 4, 4, out, end);
  end = hexByte((source[from + 8] as number) | 0x20, out, end);
  end = hex(source, from, 4, out, end);
  return hex(source, from + 9, length - 9, out, end);
}

/** @param width bits of the column; its bytes come with zeros in front. */
export function bits(
  source: Buffer,
  from: number,
  length: number,
  width: number,
  out: Buffer,
  to: number,
): number {
  for (let bit = 0; bit < width; bit++) {
    const position = 8 * length - width + bit;
    const byte = source[from + (position >> 3)] as number;
    out[to + bit] = zero + ((byte >> (7 - (position & 7))) & 1);
  }
  return to + width;
}

function hexMark(out: Buffer, to: number): number {
  out[to] = backslash;
  out[to + 1] = backslash;
  out[to + 2] = 0x78;
  return to + 3;
}

function hex(source: Buffer, from: number, length: number, out: Buffer, to: number): number {
  let end = to;
  for (let index = from; index < from + length; index++) end = hexByte(source[index] as number, out, end);
  return end;
}

function hexByte(byte: number, out: Buffer, to: number): number {
  out[to] = hexDigits[byte >> 4] as number;
  out[to + 1] = hexDigits[byte & 15] as number;
  return to + 2;
}

/** Whether a double's text is as PostgreSQL writes it: MySQL uses the same digits, and exponents in other places. */
export function isPlainDouble(source: Buffer, from: number, length: number): boolean {
  const start = source[from] === minus ? from + 1 : from;
  let point = from + length;
  for (let index = start; index < from + length; index++) {
    if (source[index] === exponentMark) return false;
    if (source[index] === dot) point = index;
  }
  if (point - start > 15) return false;
  return source[start] !== zero || length < 7 || source.readUInt32BE(start + 2) !== fourZeros;
}

/** Whether `YYYY-MM-DD…` is a day of the calendar. MySQL stores days that are not, and year 0. */
export function isCalendarDate(source: Buffer, from: number): boolean {
  const digit = (index: number) => (source[from + index] as number) - zero;
  const year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
  const month = digit(5) * 10 + digit(6);
  const day = digit(8) * 10 + digit(9);
  if (year === 0 || month === 0 || day === 0) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= 30 || (day === 31 && month !== 4 && month !== 6 && month !== 9 && month !== 11);
}
