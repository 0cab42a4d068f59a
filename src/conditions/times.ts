import { isInRange, readTime } from '../lib/timestamp.ts';

/** Times are microseconds since 1970 in UTC. */
const span = /^(\d{1,6}) +(second|minute|hour|day|week|month|year)s?$/i;
const relative = /^(.+?) +(ago|from now)$/i;

export const dayMicros = 86_400_000_000n;

const fixedUnits: Record<string, bigint> = {
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: dayMicros,
  week: 7n * dayMicros,
};

export interface Time {
  micros: bigint;
  /** No time of day was given. */
  day: boolean;
}

/** A time of up to six digits of a second, or a day alone: finer ones could not be compared with what columns hold. */
export function parseTime(text: string): Time | undefined {
  const time = readTime(text.trim());
  return time === undefined || time.finer ? undefined : { micros: time.micros, day: time.day };
}

/** `now`, `48 hours ago`, `7 days from now`. @returns undefined when it is none of these, or out of range. */
export function parseRelative(text: string, now: bigint): bigint | undefined {
  if (/^\s*now\s*$/i.test(text)) return now;
  const [, amount = '', direction = ''] = relative.exec(text.trim()) ?? [];
  return shift(now, amount, /^ago$/i.test(direction) ? -1 : 1);
}

/** The time a span such as `48 hours` before now. */
export function parseSpan(text: string, now: bigint): bigint | undefined {
  return shift(now, text.trim(), -1);
}

/** `2024-01-31` */
export function dayText(micros: bigint): string {
  return timeText(micros).slice(0, 10);
}

/** `2024-01-31 23:59:59.000000+00` */
export function timeText(micros: bigint): string {
  const below = modulo(micros, 1_000_000n);
  const seconds = new Date(Number((micros - below) / 1000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${below.toString().padStart(6, '0')}+00`;
}

function shift(micros: bigint, amount: string, sign: 1 | -1): bigint | undefined {
  const [, digits = '', unit = ''] = span.exec(amount) ?? [];
  const count = Number(digits) * sign;
  if (unit === '') return undefined;
  const fixed = fixedUnits[unit.toLowerCase()];
  const shifted =
    fixed === undefined
      ? shiftMonths(micros, count * (/^year$/i.test(unit) ? 12 : 1))
      : micros + BigInt(count) * fixed;
  return shifted !== undefined && isInRange(shifted) ? shifted : undefined;
}

/** The same day of another month, or its last: a month before 31 March is the end of February. */
function shiftMonths(micros: bigint, months: number): bigint | undefined {
  const timeOfDay = modulo(micros, dayMicros);
  const date = new Date(Number((micros - timeOfDay) / 1000n));
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  if (Number.isNaN(date.getTime())) return undefined;
  const lastDay = new Date(date);
  lastDay.setUTCMonth(date.getUTCMonth() + 1, 0);
  date.setUTCDate(Math.min(day, lastDay.getUTCDate()));
  return BigInt(date.getTime()) * 1000n + timeOfDay;
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
