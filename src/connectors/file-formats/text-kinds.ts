import type { TypeRule } from '../contract.ts';

/**
 * What a value's text may stand for. Each is recognized in one spelling, the one that PostgreSQL would print or that
 * can be turned into it without a doubt: `007` is no number, `12E4` may be a code, 01/02/2024 could be two days. What
 * is in doubt stays text, so that nothing is lost.
 */
export const kinds = {
  boolean: 1,
  bigint: 2,
  numeric: 4,
  date: 8,
  timestamp: 16,
  timestamptz: 32,
} as const;

const types: Record<keyof typeof kinds, string> = {
  boolean: 'boolean',
  bigint: 'bigint',
  numeric: 'numeric',
  date: 'date',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
};

/** A set of kinds, as bits. */
export type Kinds = number;

export const anyKind: Kinds = 63;
/** What a text that its format calls a string may stand for: `"5"` in JSON was meant not to be a number. */
export const timeKinds: Kinds = kinds.date | kinds.timestamp | kinds.timestamptz;

const [zero, nine] = [0x30, 0x39];
/** Longest text that is looked at as a number: PostgreSQL holds far longer ones. */
const longestNumber = 1000;

/** The PostgreSQL type of a column all of whose values may be any of `possible`. No value at all: text. */
export function typeOf(possible: Kinds): string {
  if (possible === anyKind) return 'text';
  const found = (Object.keys(kinds) as (keyof typeof kinds)[]).find((kind) => possible & kinds[kind]);
  return found === undefined ? 'text' : types[found];
}

/** The kinds that the bytes from `start` to `end` may be, of those in `among`. */
export function kindsOf(bytes: Uint8Array, start: number, end: number, among: Kinds): Kinds {
  const first = bytes[start] as number;
  if (end === start) return 0;
  if (isDigit(first) || first === 0x2d) {
    const numbers = among & (kinds.bigint | kinds.numeric) ? numberKinds(bytes, start, end) : 0;
    const times = among & timeKinds ? timeKind(bytes, start, end) : 0;
    return among & (numbers | times);
  }
  return among & kinds.boolean && isBoolean(bytes, start, end) ? kinds.boolean : 0;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** true, false, in lower or upper case or with a capital. */
function isBoolean(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > 5) return false;
  return /^(true|false|TRUE|FALSE|True|False)$/.test(String.fromCharCode(...bytes.subarray(start, end)));
}

/** `-?(0|[1-9]\d*)(\.\d+)?`, or with an exponent whose sign is said; no negative zero, which numeric would lose. */
function numberKinds(bytes: Uint8Array, start: number, end: number): Kinds {
  if (end - start > longestNumber) return 0;
  const negative = bytes[start] === 0x2d;
  const from = negative ? start + 1 : start;
  let at = skipDigits(bytes, from, end);
  const digits = at - from;
  if (digits === 0 || (bytes[from] === zero && digits > 1)) return 0;
  if (at === end) {
    if (negative && bytes[from] === zero) return 0;
    return fitsBigint(bytes, start, from, end) ? kinds.bigint | kinds.numeric : kinds.numeric;
  }
  if (bytes[at] === 0x2e) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction, end);
    if (at === fraction) return 0;
  }
  const mantissa = at;
  if (at < end) {
    if (bytes[at] !== 0x65 && bytes[at] !== 0x45) return 0;
    if (bytes[at + 1] !== 0x2b && bytes[at + 1] !== 0x2d) return 0;
    const exponent = at + 2;
    at = skipDigits(bytes, exponent, end);
    if (at !== end || at === exponent || at - exponent > 3) return 0;
  }
  if (negative && isZero(bytes, from, mantissa)) return 0;
  return kinds.numeric;
}

function skipDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at])) at++;
  return at;
}

function isZero(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte !== zero && byte !== 0x2e) return false;
  }
  return true;
}

function fitsBigint(bytes: Uint8Array, start: number, from: number, end: number): boolean {
  if (end - from < 19) return true;
  if (end - from > 19) return false;
  const value = BigInt(String.fromCharCode(...bytes.subarray(start, end)));
  return value === BigInt.asIntN(64, value);
}

/** `yyyy-mm-dd`, with a time of day behind a space or T, with or without a zone. */
function timeKind(bytes: Uint8Array, start: number, end: number): Kinds {
  const length = end - start;
  if (length < 10 || length > 35 || bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return 0;
  const [year, month, day] = [
    number(bytes, start, 4),
    number(bytes, start + 5, 2),
    number(bytes, start + 8, 2),
  ];
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return 0;
  if (length === 10) return kinds.date;
  const text = String.fromCharCode(...bytes.subarray(start + 10, end));
  const match = timeOfDay.exec(text);
  if (match === null) return 0;
  return match[1] === undefined ? kinds.timestamp : kinds.timestamptz;
}

export const timeOfDay =
  /^[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:( ?UTC|Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?))?$/;

function number(bytes: Uint8Array, start: number, length: number): number {
  let value = 0;
  for (let at = start; at < start + length; at++) {
    const byte = bytes[at] as number;
    if (!isDigit(byte)) return Number.NaN;
    value = value * 10 + byte - zero;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** For docs/types.md. */
export const textTypes: readonly TypeRule[] = [
  { type: 'true, false', as: 'boolean' },
  { type: '-12, 9007199254740993', as: 'bigint', note: 'Within 64 bits, else numeric.' },
  { type: '1.50, 1.5e-05', as: 'numeric', note: 'Every digit stays.' },
  { type: '2024-02-29', as: 'date' },
  {
    type: '2024-02-29 23:59:59.123456',
    as: 'timestamp without time zone',
    note: 'A T may stand for the space.',
  },
  { type: '2024-02-29T23:59:59Z, …+05:30', as: 'timestamp with time zone' },
  { type: 'JSON objects and arrays', as: 'json', note: 'As they are written.' },
  {
    type: 'anything else',
    as: 'text',
    note: 'Also a column that has values of two kinds, or values in doubt: 007, 12E4, 01/02/2024.',
  },
  { type: 'text with NUL characters', as: 'text', note: 'They are left out: `nul_removed`.' },
  { type: 'half a surrogate pair in JSON', as: 'text', note: 'Becomes �: `lone_surrogate_replaced`.' },
  {
    type: 'two members of one name in a JSON object',
    as: 'the last one',
    note: 'The others: `duplicate_member_dropped`.',
  },
];
