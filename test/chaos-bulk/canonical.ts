/** What a value is, whatever type a destination has for it. */
export type Meaning =
  | 'number'
  | 'real'
  | 'double'
  | 'boolean'
  | 'text'
  | 'date'
  | 'time'
  | 'moment'
  | 'interval'
  | 'bytes'
  | 'array';

/** One text for all that say the same value of this meaning: exact, digit for digit. */
export function canonical(meaning: Meaning, written: string): string {
  const text = /^(date|moment)$/.test(meaning) ? written.replace(/ \(BC\)(.*)$/, '$1 BC') : written;
  switch (meaning) {
    case 'number':
      return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text;
    case 'real':
      return float(text, Math.fround);
    case 'double':
      return float(text, (value) => value);
    case 'boolean':
      return /^(t|true|1)$/.test(text) ? 'true' : /^(f|false|0)$/.test(text) ? 'false' : text;
    case 'date':
      return text.replace(/ 00:00:00(\.0+)?$/, '');
    case 'time':
      return text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
    case 'moment':
      return moment(text);
    case 'interval':
      return interval(text);
    case 'bytes':
      return text.replace(/^\\x/, '').toLowerCase();
    case 'array':
      return JSON.stringify(text.startsWith('{') ? arrayItems(text) : jsonItems(text));
    default:
      return text;
  }
}

function float(text: string, round: (value: number) => number): string {
  const value = Number(text.replace(/^(-?)inf(inity)?$/i, '$1Infinity'));
  return Number.isNaN(value) ? text.toLowerCase() : String(round(value));
}

function moment(text: string): string {
  const plain = text.replace(/\+00(:00)?( BC)?$/, '$2');
  return plain
    .replace(/^(\S+)$/, (date) => (/^\d+-\d\d-\d\d$/.test(date) ? `${date} 00:00:00` : date))
    .replace(/(\.\d*?)0+( BC)?$/, '$1$2')
    .replace(/\.( BC)?$/, '$1');
}

const units: Record<string, number> = { year: 12, mon: 1, month: 1 };

/** Months, days and microseconds, from the text of any system. */
function interval(text: string): string {
  let [months, days, micros] = [0, 0, 0n];
  for (const [, count = '', unit = ''] of text.matchAll(/(-?\d+) (year|month|mon|day)s?/g)) {
    if (unit === 'day') days += Number(count);
    else months += Number(count) * (units[unit] ?? 0);
  }
  const [, sign, hours, minutes, seconds, fraction = ''] =
    /(-)?(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(text) ?? [];
  if (seconds !== undefined) {
    const whole = (BigInt(hours ?? 0) * 60n + BigInt(minutes ?? 0)) * 60n + BigInt(seconds);
    micros = (whole * 1_000_000n + BigInt(fraction.padEnd(6, '0'))) * (sign === '-' ? -1n : 1n);
  }
  return `${months} ${days} ${micros}`;
}

/** Of PostgreSQL's text of an array with one dimension. */
function arrayItems(text: string): (string | null)[] {
  const items: (string | null)[] = [];
  for (const [, quoted, plain] of text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,"]+)/g)) {
    if (quoted !== undefined) items.push(quoted.replaceAll(/\\(.)/gs, '$1'));
    else items.push(plain === 'NULL' ? null : (plain ?? ''));
  }
  return items;
}

function jsonItems(text: string): (string | null)[] {
  return (JSON.parse(text) as unknown[]).map((item) => (item === null ? null : String(item)));
}
