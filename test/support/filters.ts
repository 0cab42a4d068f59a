import fc from 'fast-check';
import type { Condition, Expression, FilterField } from '../../src/conditions/index.ts';
import type { Json } from '../../src/lib/json.ts';
import type { FieldType } from '../../src/schema/field-type.ts';
import type { FilterFunction } from '../../src/schema/filter.ts';

/** A row of values as they are inserted, as text; arrays as JavaScript arrays. */
export interface Row {
  id: number;
  word: string | null;
  small: string | null;
  large: string | null;
  price: string | null;
  ratio: string | null;
  done: string | null;
  moment: string | null;
  day: string | null;
  tags: (string | null)[] | null;
  counts: (string | null)[] | null;
}
export type FieldName = Exclude<keyof Row, 'id'>;

const characters = [
  'a',
  'A',
  'b',
  'á',
  'ß',
  's',
  '%',
  '_',
  '\\',
  '!',
  "'",
  '"',
  '`',
  ' ',
  '\n',
  '\t',
  '$',
  '😀',
];
const word = fc.array(fc.constantFrom(...characters), { maxLength: 4 }).map((parts) => parts.join(''));
const domains = {
  word,
  small: fc.integer({ min: -3, max: 3 }).map(String),
  large: fc.constantFrom('9007199254740992', '9007199254740993', '-9223372036854775808'),
  price: fc.constantFrom(
    '0',
    '0.1',
    '-1.5',
    '1.5',
    '12.3456',
    '1234567890123456.7891',
    '1234567890123456.7892',
  ),
  ratio: fc.constantFrom('0.1', '1.5', '-3', '1e30', '0.33333334'),
  done: fc.boolean().map(String),
  moment: fc
    .tuple(
      fc.constantFrom('2024-02-28', '2024-02-29', '2024-03-01'),
      fc.constantFrom('00:00:00.000000', '00:00:00.000001', '12:30:00.123456', '23:59:59.999999'),
    )
    .map((parts) => parts.join(' ')),
  day: fc.constantFrom('1969-12-31', '2024-02-28', '2024-02-29', '2024-03-01'),
  tags: fc.array(fc.option(word), { maxLength: 3 }),
  counts: fc.array(fc.option(fc.integer({ min: 0, max: 3 }).map(String)), { maxLength: 3 }),
};

/** Texts, and patterns, with what somebody might take for a wildcard, an escape or nothing. */
export const trickyWords = [
  '',
  '!',
  '!!',
  '%',
  '_',
  '\\',
  '\\\\',
  'a!b',
  'a%b',
  'a_b',
  '!%',
  '%!%',
  '\\%',
  '\\_',
  'a\\!b',
  '%\\%%',
  'a\nb',
  ' a\n',
  '\v',
  '😀',
  '_😀',
];

/** The same rows every time, many of them alike, a tenth of each field NULL. */
export function sampleRows(count: number): Row[] {
  const record = Object.fromEntries(
    Object.entries(domains).map(([name, domain]) => [name, fc.option<unknown>(domain, { freq: 9 })]),
  );
  return fc
    .sample(fc.record(record), { numRuns: count, seed: 7 })
    .map((values, id) => ({ ...values, id }) as Row);
}

/** How a row's value is written in a filter: numbers also as JSON numbers, times also with an offset or as days. */
const written: Record<FieldName, fc.Arbitrary<Json>> = {
  word: domains.word,
  small: fc.oneof(domains.small, domains.small.map(Number), fc.constant('1e0')),
  large: domains.large,
  price: fc.oneof(domains.price, fc.constantFrom('0.10', '1.5000', '-0')),
  ratio: fc.oneof(domains.ratio, domains.ratio.map(Number)),
  done: fc.oneof(domains.done, fc.boolean()),
  moment: fc.oneof(domains.moment, domains.day, fc.constantFrom('2024-02-29T13:30:00.123456+01:00')),
  day: fc.oneof(domains.day, domains.moment),
  tags: domains.word,
  counts: domains.small,
};

const types: Record<FieldName, FieldType> = {
  word: 'string',
  small: 'number',
  large: 'number',
  price: 'number',
  ratio: 'number',
  done: 'boolean',
  moment: 'datetime',
  day: 'datetime',
  tags: 'array',
  counts: 'array',
};

/** @param remoteTypes what the database calls the types of the fields it has. */
export function fieldsOf(remoteTypes: Partial<Record<FieldName, string>>): FilterField[] {
  return Object.entries(remoteTypes).map(([name, remoteType]) => ({
    name,
    type: types[name as FieldName],
    remoteType,
  }));
}

const equality = ['Equality', 'Inequality'] as const;
const order = ['GreaterThan', 'GreaterThanEqual', 'LessThan', 'LessThanEqual'] as const;
const like = [
  'StringContains',
  'StringStartsWith',
  'StringEndsWith',
  'StringDoesNotContain',
  'StringDoesNotStartWith',
  'StringDoesNotEndWith',
  'StringMatchesTrimmed',
] as const;
const patterns = ['StringLike', 'StringNotLike'] as const;
const lists = ['StringOneOf', 'StringNotOneOf'] as const;

/** Conditions on one field, of every function that suits it and does not count from now. */
function conditionOn(field: FieldName): fc.Arbitrary<Condition<AbsoluteFunction>> {
  const value = written[field];
  const make = (functions: readonly AbsoluteFunction[], values: fc.Arbitrary<Json>) =>
    fc.record({ field: fc.constant(field), function: fc.constantFrom(...functions), value: values });
  const nothing = fc.constant(null);
  const kinds = [make(['IsNull', 'IsNotNull'], nothing)];
  if (types[field] === 'array')
    return fc.oneof(...kinds, make(['ArrayContains', 'ArrayDoesNotContain'], value));
  kinds.push(make(equality, value), make(lists, fc.array(value, { minLength: 1, maxLength: 3 })));
  if (types[field] === 'boolean') return fc.oneof(...kinds, make(['True', 'False'], nothing));
  kinds.push(make(order, value), make(['Between'], fc.tuple(value, value)));
  if (types[field] === 'datetime') kinds.push(make(['OnOrAfter', 'OnOrBefore'], value));
  if (types[field] === 'string') {
    kinds.push(
      make(like, value),
      make(
        patterns,
        word.filter((text) => !/(?<!\\)(\\\\)*\\$/.test(text)),
      ),
    );
  }
  return fc.oneof(...kinds);
}

type AbsoluteFunction = Exclude<FilterFunction, 'InTheLast' | 'RelativeOnOrAfter' | 'RelativeOnOrBefore'>;

/** Half of the functions are about texts. */
function weighed({ name }: FilterField) {
  return { arbitrary: conditionOn(name as FieldName), weight: name === 'word' ? 8 : 1 };
}

export function expressions(fields: readonly FilterField[]): fc.Arbitrary<Expression<AbsoluteFunction>> {
  return fc.letrec<{ tree: Expression<AbsoluteFunction> }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 4, arbitrary: fc.oneof(...fields.map(weighed)) },
      { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((and) => ({ and })) },
      { weight: 1, arbitrary: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map((or) => ({ or })) },
      { weight: 1, arbitrary: tie('tree').map((not) => ({ not })) },
    ),
  })).tree;
}

const opposites: Partial<Record<FilterFunction, AbsoluteFunction>> = {
  Inequality: 'Equality',
  StringDoesNotContain: 'StringContains',
  StringDoesNotStartWith: 'StringStartsWith',
  StringDoesNotEndWith: 'StringEndsWith',
  StringNotOneOf: 'StringOneOf',
  StringNotLike: 'StringLike',
  ArrayDoesNotContain: 'ArrayContains',
};

/** What docs/filters.md says, in JavaScript. */
export function matches(expression: Expression<AbsoluteFunction>, row: Row): boolean {
  if ('and' in expression) return expression.and.every((part) => matches(part, row));
  if ('or' in expression) return expression.or.some((part) => matches(part, row));
  if ('not' in expression) return !matches(expression.not, row);
  const { field, function: name, value } = expression;
  const held = row[field as FieldName];
  if (name === 'IsNull') return held === null;
  if (name === 'IsNotNull') return held !== null;
  const opposite = opposites[name];
  if (opposite !== undefined) return !matches({ ...expression, function: opposite }, row);
  if (held === null) return false;
  if (Array.isArray(held)) return held.includes(String(value));
  const compare = (other: Json | undefined, until = false) =>
    compared(field as FieldName, held, other ?? null, until);
  switch (name) {
    case 'True':
      return held === 'true';
    case 'False':
      return held === 'false';
    case 'Equality':
      return compare(value) === 0;
    case 'GreaterThan':
      return compare(value) > 0;
    case 'GreaterThanEqual':
    case 'OnOrAfter':
      return compare(value) >= 0;
    case 'LessThan':
      return compare(value) < 0;
    case 'LessThanEqual':
      return compare(value) <= 0;
    case 'OnOrBefore':
      return compare(value, true) <= 0;
    case 'Between':
      return Array.isArray(value) && compare(value[0]) >= 0 && compare(value[1], true) <= 0;
    case 'StringOneOf':
      return Array.isArray(value) && value.some((one) => compare(one) === 0);
    case 'StringContains':
      return held.includes(String(value));
    case 'StringStartsWith':
      return held.startsWith(String(value));
    case 'StringEndsWith':
      return held.endsWith(String(value));
    case 'StringMatchesTrimmed':
      return held.trim() === String(value).trim();
    case 'StringLike':
      return likeExpression(String(value)).test(held);
    default:
      throw new Error(`${name} is not told here`);
  }
}

function likeExpression(pattern: string): RegExp {
  const parts = [...pattern.matchAll(/\\(.)|(.)/gsu)].map(([, taken, plain]) => {
    if (plain === '%') return '.*';
    return plain === '_' ? '.' : (taken ?? plain ?? '').replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 'su');
}

function compared(field: FieldName, held: string, value: Json, until: boolean): number {
  switch (field) {
    case 'word':
      return Buffer.compare(Buffer.from(held), Buffer.from(String(value)));
    case 'ratio':
      return Math.fround(Number(held)) - Math.fround(Number(value));
    case 'moment':
      return held < instant(String(value), until) ? -1 : held > instant(String(value), until) ? 1 : 0;
    case 'day':
      return held.localeCompare(String(value).slice(0, 10));
    case 'done':
      return held === String(value) ? 0 : 1;
    default: {
      const difference = scaled(held) - scaled(String(value));
      return difference < 0n ? -1 : difference > 0n ? 1 : 0;
    }
  }
}

/** Only the forms that are generated above. */
function instant(text: string, until: boolean): string {
  if (text.length === 10) return `${text} ${until ? '23:59:59.999999' : '00:00:00.000000'}`;
  return text.includes('+') ? '2024-02-29 12:30:00.123456' : text;
}

function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = (text === '1e0' ? '1' : text).split('.');
  return BigInt(`${whole}${fraction.padEnd(4, '0')}`);
}
