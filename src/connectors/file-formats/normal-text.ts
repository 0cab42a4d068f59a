import { timeOfDay } from './text-kinds.ts';

/** A value's text as PostgreSQL prints a value of the type; undefined where every text is its own. */
export function normalizer(type: string): ((text: string) => string) | undefined {
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
  const [date, rest] = [text.slice(0, 10), text.slice(10)];
  const zone = timeOfDay.exec(rest)?.[1];
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
