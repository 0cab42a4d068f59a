/** A server broke PostgreSQL's protocol. Nothing that it says after that means anything. */
export class MalformedMessage extends Error {
  override name = 'MalformedMessage';

  constructor(kind: number) {
    super(`the server sent a malformed message of type ${JSON.stringify(String.fromCharCode(kind))}`);
  }
}

/**
 * Looks at a message of a server before the driver's parser does, which trusts the lengths and counts that it finds: it throws
 * at some that are wrong, reads beyond the message at others, and looks for the end of an error for ever.
 *
 * @param start of the body, which ends at `end`.
 * @throws MalformedMessage
 */
export function checkMessage(kind: number, bytes: Buffer, start: number, end: number): void {
  const check = checks[kind];
  if (check === undefined || !(check(bytes, start, end) <= end)) throw new MalformedMessage(kind);
}

/** @returns where what the message has to have ends; beyond its end, or NaN, when it is not all there. */
type Check = (bytes: Buffer, start: number, end: number) => number;

const code = (kind: string) => kind.charCodeAt(0);

const nothing: Check = (_bytes, start) => start;

const fixed =
  (length: number): Check =>
  (_bytes, start) =>
    start + length;

/** Behind the zero that ends a text. */
function behindText(bytes: Buffer, start: number, end: number): number {
  if (!(start < end)) return Number.NaN;
  const zero = bytes.indexOf(0, start);
  return zero < 0 ? Number.NaN : zero + 1;
}

/** Entries one behind the other, as many as the number before them says. */
const counted =
  (entry: Check): Check =>
  (bytes, start, end) => {
    const count = start + 2 > end ? -1 : bytes.readInt16BE(start);
    let at = count < 0 ? Number.NaN : start + 2;
    for (let left = count; left > 0 && at <= end; left--) at = entry(bytes, at, end);
    return at;
  };

const texts =
  (count: number): Check =>
  (bytes, start, end) => {
    let at = start;
    for (let left = count; left > 0; left--) at = behindText(bytes, at, end);
    return at;
  };

/** Lists of texts, each behind a byte that says what it is; a zero ends the list. */
const fields: Check = (bytes, start, end) => {
  let at = start;
  while (at < end && bytes[at] !== 0) at = behindText(bytes, at + 1, end);
  return at + 1;
};

/** The end of a list of texts is an empty one. */
const mechanisms: Check = (bytes, start, end) => {
  let at = start;
  while (at < end && bytes[at] !== 0) at = behindText(bytes, at, end);
  return at + 1;
};

const value: Check = (bytes, start, end) => {
  const length = start + 4 > end ? Number.NaN : bytes.readInt32BE(start);
  if (length < 0) return length === -1 ? start + 4 : Number.NaN;
  return start + 4 + length;
};

const column: Check = (bytes, start, end) => behindText(bytes, start, end) + 18;

const copyFormat: Check = (bytes, start, end) => counted(fixed(2))(bytes, start + 1, end);

const authentication: Check = (bytes, start, end) => {
  if (start + 4 > end) return Number.NaN;
  const request = bytes.readInt32BE(start);
  if (request === 5) return start + 8;
  return request === 10 ? mechanisms(bytes, start + 4, end) : start + 4;
};

const checks: Readonly<Record<number, Check>> = {
  [code('R')]: authentication,
  [code('S')]: texts(2),
  [code('K')]: fixed(8),
  [code('Z')]: fixed(1),
  [code('E')]: fields,
  [code('N')]: fields,
  [code('A')]: (bytes, start, end) => texts(2)(bytes, start + 4, end),
  [code('T')]: counted(column),
  [code('D')]: counted(value),
  [code('C')]: texts(1),
  [code('G')]: copyFormat,
  [code('H')]: copyFormat,
  [code('t')]: counted(fixed(4)),
  [code('d')]: nothing,
  [code('c')]: nothing,
  [code('I')]: nothing,
  [code('n')]: nothing,
  [code('s')]: nothing,
  [code('1')]: nothing,
  [code('2')]: nothing,
  [code('3')]: nothing,
};
