import { escaped, unescaped } from '../../lib/copy-text.ts';
import { timeOfDay } from './text-kinds.ts';

/** A value's COPY text as PostgreSQL prints a value of the type; undefined where every text is its own. */
export function normalizer(type: string): ((text: string) => string) | undefined {
  if (type.endsWith('[]')) return (text) => escaped(arrayText(unescaped(text)));
  switch (type) {
    case 'boolean':
      return (text) => (text.startsWith('t') || text.startsWith('T') ? 't' : 'f');
    case 'numeric':
      return (text) => (/[eE]/.test(text) ? withoutExponent(text) : text);
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return timestamp;
    default:
      return undefined;
  }
}

/** `1.5e-05` → `0.000015`: the same number in PostgreSQL's spelling. */
function withoutExponent(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]\d+)$/.exec(text) ?? [];
  const shift = Number(exponent);
  const digits = `${whole}${fraction}`;
  const point = whole.length + shift;
  const padded =
    point <= 0 ? `${'0'.repeat(1 - point)}${digits}` : digits.padEnd(Math.max(point, digits.length), '0');
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const rest = padded.slice(at);
  return `${sign}${integer}${rest === '' ? '' : `.${rest}`}`;
}

function timestamp(text: string): string {
  const [, date, rest = ''] = /^(\d{4,}-\d\d-\d\d)([ T].*)$/.exec(text) ?? [];
  const match = timeOfDay.exec(rest);
  // What PostgreSQL alone can say, as infinity or a year before Christ, is its own text already.
  if (date === undefined || match === null) return text;
  const [, zone] = match;
  const time = (zone === undefined ? rest : rest.slice(0, -zone.length)).slice(1);
  const seconds = time.length === 5 ? `${time}:00` : time.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  return `${date} ${seconds}${zone === undefined ? '' : offset(zone)}`;
}

/** `Z` → `+00`, `+0530` → `+05:30`, `+02:00` → `+02`. */
function offset(zone: string): string {
  if (/[ZU]/.test(zone)) return '+00';
  const [hours, minutes] = [zone.slice(0, 3), zone.slice(3).replace(':', '')];
  return `${hours === '-00' ? '+00' : hours}${minutes === '' || minutes === '00' ? '' : `:${minutes}`}`;
}

/** A JSON array as an array of PostgreSQL; its own text, with bounds or without, stays. */
function arrayText(text: string): string {
  if (!text.startsWith('[') || /^\[-?\d+:/.test(text)) return text;
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|[[\]]|true|false|null|\s+/g, (token) => {
    if (token.startsWith('"')) return quoted(JSON.parse(token) as string);
    return arrayTokens[token] ?? '';
  });
}

const arrayTokens: Record<string, string> = { '[': '{', ']': '}', true: 't', false: 'f', null: 'NULL' };

function quoted(element: string): string {
  const bare = element !== '' && !/["\\{},\s]/.test(element) && element.toUpperCase() !== 'NULL';
  return bare ? element : `"${element.replaceAll(/["\\]/g, '\\$&')}"`;
}
