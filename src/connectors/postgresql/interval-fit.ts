import { type Fit, fraction, type Misfit } from '../fits.ts';

interface Parts {
  months: number;
  days: number;
  /** Whole ones. */
  seconds: number;
  /** Digits of a second's fraction, without zeros at the end. */
  digits: number;
}

/** By the last field of a column's type: whether it keeps all of an interval. PostgreSQL cuts off what is finer. */
const keepsAll = new Map<string, (parts: Parts) => boolean>([
  ['year', ({ months, ...finer }) => months % 12 === 0 && isNothing(finer)],
  ['month', ({ months: _, ...finer }) => isNothing(finer)],
  ['day', ({ months: _, days: __, ...finer }) => isNothing(finer)],
  ['hour', ({ seconds, digits }) => seconds % 3600 === 0 && digits === 0],
  ['minute', ({ seconds, digits }) => seconds % 60 === 0 && digits === 0],
]);

/** @param type as `interval`, `interval year to month`, `interval(3)`, `interval day to second(0)`. */
export function intervalFit(type: string): Fit {
  const [, last = 'second', precision] = /^interval(?: (?:\w+ to )?(\w+))?(?:\((\d)\))?$/.exec(type) ?? [];
  const keeps = keepsAll.get(last);
  if (keeps === undefined && precision === undefined) return fraction(type, 6);
  const unread: Misfit = {
    rule: 'not_a_time',
    reason: `${type} takes whole numbers with units (1 year 2 mons 3 days 04:05:06, P1Y2M3DT4H5M6S) alone`,
    refused: true,
  };
  const dropped = { rule: 'time_dropped', reason: `${type} keeps nothing finer than a ${last}` };
  const rounded = { rule: 'time_rounded', reason: `${type} keeps ${precision} digits of a second` };
  return (text) => {
    const parts = partsOf(text, last);
    if (parts === undefined) return unread;
    if (keeps !== undefined) return keeps(parts) ? undefined : dropped;
    return parts.digits > Number(precision) ? rounded : undefined;
  };
}

const token = /\s*(?:([+-]?)(\d+):(\d\d)(?::(\d\d)(?:\.(\d*))?)?|([+-]?\d+)(?:\.(\d*))?\s*([a-z]+))/iy;

/** Undefined for what is not understood, though PostgreSQL may. @param bare what a number without a unit is. */
function partsOf(text: string, bare: string): Parts | undefined {
  const parts: Parts = { months: 0, days: 0, seconds: 0, digits: 0 };
  if (/^[+-]?infinity$/i.test(text)) return parts;
  const read = withUnits(text, bare);
  if (read === '') return undefined;
  for (token.lastIndex = 0; token.lastIndex < read.length; ) {
    const match = token.exec(read);
    if (match === null) return undefined;
    const [, sign, hours, minutes = 0, seconds = 0, ofClock = '', number, ofNumber = '', word = ''] = match;
    if (hours !== undefined) {
      const time = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
      parts.seconds += sign === '-' ? -time : time;
    } else {
      const [part, factor] = units.get(word.toLowerCase()) ?? [];
      if (part === undefined || factor === undefined) return undefined;
      if (ofNumber !== '' && !(part === 'seconds' && factor === 1)) return undefined;
      parts[part] += Number(number) * factor;
    }
    parts.digits = Math.max(parts.digits, (ofClock + ofNumber).replace(/0+$/, '').length);
  }
  return parts;
}

/** ISO 8601 as other intervals are written, a number alone with its unit; a sign of all says nothing about what is kept. */
function withUnits(text: string, bare: string): string {
  const [, date, time = ''] = /^P([^T]*)(?:T(.*))?$/.exec(text) ?? [];
  if (date !== undefined) return `${date.replaceAll('M', 'mon')}${time}`;
  const read = text.replace(/^\s*@/, '').replace(/\s+(?:ago)?\s*$/i, '');
  return /^\s*[+-]?\d+(?:\.\d*)?$/.test(read) ? `${read}${bare}` : read;
}

const units = new Map<string, [part: 'months' | 'days' | 'seconds', factor: number]>(
  (
    [
      ['months', 12, 'y yr yrs year years'],
      ['months', 1, 'mon mons month months'],
      ['days', 7, 'w week weeks'],
      ['days', 1, 'd day days'],
      ['seconds', 3600, 'h hr hrs hour hours'],
      ['seconds', 60, 'm min mins minute minutes'],
      ['seconds', 1, 's sec secs second seconds'],
    ] as const
  ).flatMap(([part, factor, words]) => words.split(' ').map((word) => [word, [part, factor]] as const)),
);

function isNothing(parts: Partial<Parts>): boolean {
  return Object.values(parts).every((amount) => amount === 0);
}
