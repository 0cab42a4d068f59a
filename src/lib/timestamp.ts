/** The one reader of times that anybody sends: in bodies, queries, headers, tokens, filters and on command lines. */

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,32}))?)?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

export interface Time {
  /** Since 1970 in UTC: no database column that we read is finer, and no Date is as fine. */
  micros: bigint;
  /** No time of day was given. */
  day: boolean;
  /** It has digits below microseconds, which count for the next one from 5 on, as PostgreSQL rounds. */
  finer: boolean;
}

const first = -62_135_596_800_000_000n;
const last = 253_402_300_799_999_999n;

/**
 * RFC 3339 at any precision, or a day alone. Seconds and offset may be left out; without an offset it is UTC. The date has
 * to exist, the offset to be one that PostgreSQL knows (less than 16 hours), and the moment to be in the years 1 to 9999.
 */
export function readTime(text: string): Time | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as Six;
  const [, , , , , , , fraction = '', , sign] = match;
  const [offsetHours, offsetMinutes] = [part(10), part(11)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 15 || offsetMinutes > 59) return undefined;
  const date = new Date(0);
  // Not by Date.UTC, which takes year 1 for 1901.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * (sign === '-' ? -1 : 1);
  date.setUTCHours(hour, minute - offset, second);
  const below = BigInt(fraction.slice(0, 6).padEnd(6, '0')) + (Number(fraction[6] ?? 0) >= 5 ? 1n : 0n);
  const micros = BigInt(date.getTime()) * 1000n + below;
  if (micros < first || micros > last) return undefined;
  return { micros, day: match[4] === undefined, finer: /[1-9]/.test(fraction.slice(6)) };
}

type Six = [number, number, number, number, number, number];

/**
 * Whether a text is a moment at any precision. The text itself goes on to PostgreSQL, since a JavaScript Date would cut it
 * to milliseconds.
 */
export function isTimestamp(text: string): boolean {
  return readTime(text)?.day === false;
}

/** Microseconds since 1970 of a moment; NaN for what is none. */
export function microsecondsOf(text: string): number {
  const time = readTime(text);
  return time === undefined ? Number.NaN : Number(time.micros);
}

/** Milliseconds since 1970 of a moment, with what is below them as a fraction; NaN for what is none. */
export const millisecondsOf = (text: string) => microsecondsOf(text) / 1000;

export function isInRange(micros: bigint): boolean {
  return micros >= first && micros <= last;
}
