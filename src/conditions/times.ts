/** Times are microseconds since 1970 in UTC: no database column that we read is finer, and no Date is as fine. */
const pattern =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6})0*)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
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

/** RFC 3339 with up to six digits of a second, or a day alone. Without an offset it is UTC. */
export function parseTime(text: string): Time | undefined {
  const match = pattern.exec(text.trim());
  if (match === null) return undefined;
  const [, date = '', time = '00:00', fraction = '', zone = 'Z'] = match;
  const offset = zone.length === 3 ? `${zone}:00` : zone.replace(/(\d\d)(\d\d)$/, '$1:$2');
  const seconds = time.length === 5 ? `${time}:00` : time;
  const milliseconds = Date.parse(`${date}T${seconds}${offset.toUpperCase()}`);
  // Date takes 30 February for 1 March, and 24:00 for the next day.
  const exists = dateOf(Date.parse(`${date}T00:00:00Z`)) === date && !time.startsWith('24');
  if (Number.isNaN(milliseconds) || !exists) return undefined;
  const micros = BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, '0'));
  return inRange(micros) ? { micros, day: match[2] === undefined } : undefined;
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
  return shifted !== undefined && inRange(shifted) ? shifted : undefined;
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

const first = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 1000n;
const last = BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n + 999_999n;

function inRange(micros: bigint): boolean {
  return micros >= first && micros <= last;
}

function dateOf(milliseconds: number): string | undefined {
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds).toISOString().slice(0, 10);
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
