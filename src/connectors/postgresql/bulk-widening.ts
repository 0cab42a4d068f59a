/** Which types hold every value of which others, by their names in `format_type`. */

interface Type {
  base: string;
  modifiers: number[];
  array: boolean;
}

/** Types that hold all values of another; what depends on lengths and digits is looked at beside it. */
const wider: Record<string, readonly string[]> = {
  smallint: ['integer', 'bigint', 'numeric', 'real', 'double precision', 'text'],
  integer: ['bigint', 'numeric', 'double precision', 'text'],
  bigint: ['numeric', 'text'],
  numeric: ['text'],
  real: ['double precision'],
  character: ['character varying', 'text'],
  'character varying': ['text'],
  text: ['character varying'],
  name: ['text'],
  date: ['timestamp without time zone'],
  bit: ['bit varying'],
  cidr: ['inet'],
  json: ['text'],
  jsonb: ['json', 'text'],
  xml: ['text'],
  uuid: ['text'],
  boolean: ['text'],
};

/** Digits before the point. */
const digits: Record<string, number> = { smallint: 5, integer: 10, bigint: 19 };

const longerIsWider = /^(character|character varying|bit varying|timestamp .*|time .*|interval)$/;

/** Whether every value of `from` is the same value in `to`. */
export function holds(to: string, from: string): boolean {
  if (to === from) return true;
  const [large, small] = [parse(to), parse(from)];
  if (large.array !== small.array) return false;
  if (large.base === small.base) return holdsLength(large, small);
  if (!wider[small.base]?.includes(large.base)) return false;
  const [length, scale = 0] = large.modifiers;
  if (length === undefined) return true;
  if (large.base === 'numeric') return length - scale >= (digits[small.base] ?? Number.POSITIVE_INFINITY);
  return small.base === 'date' || length >= (small.modifiers[0] ?? Number.POSITIVE_INFINITY);
}

function holdsLength(large: Type, small: Type): boolean {
  const [length, scale = 0] = large.modifiers;
  const [from, fromScale = 0] = small.modifiers;
  const { base } = large;
  if (base !== 'numeric' && !longerIsWider.test(base)) return false;
  if (length === undefined) return true;
  if (from === undefined) return false;
  return base === 'numeric' ? scale >= fromScale && length - scale >= from - fromScale : length >= from;
}

function parse(type: string): Type {
  const pattern = /^(.*?)(?:\((\d+)(?:,(-?\d+))?\))?( with(?:out)? time zone)?(\[\])?$/;
  const [, head = '', first, second, tail = '', array] = pattern.exec(type) ?? [];
  const modifiers = [first, second].filter((modifier) => modifier !== undefined).map(Number);
  return { base: `${head}${tail}`, modifiers, array: array !== undefined };
}
