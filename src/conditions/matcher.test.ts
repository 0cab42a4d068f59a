import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  expressions,
  type FieldName,
  fieldsOf,
  matches,
  type Row,
  sampleRows,
  trickyWords,
} from '../../test/support/filters.ts';
import type { Json } from '../lib/json.ts';
import type { FieldType } from '../schema/field-type.ts';
import type { FilterFunction } from '../schema/filter.ts';
import { type FixedExpression, type Matcher, matcher } from './index.ts';

const fields = fieldsOf({
  word: 'text',
  small: 'integer',
  large: 'bigint',
  price: 'numeric(20,4)',
  ratio: 'real',
  done: 'boolean',
  moment: 'timestamp with time zone',
  day: 'date',
  tags: 'text[]',
  counts: 'integer[]',
});

function fits(row: Row, one: Matcher): boolean {
  return one.matches(one.fields.map((name) => postgresqlText(row[name as FieldName])));
}

function postgresqlText(value: Row[FieldName]): string | null {
  if (!Array.isArray(value)) return value === 'true' || value === 'false' ? value.charAt(0) : value;
  const elements = value.map((one) => (one === null ? 'NULL' : `"${one.replaceAll(/["\\]/g, '\\$&')}"`));
  return `{${elements.join(',')}}`;
}

test('random expressions hold for the rows that the documentation says', () => {
  const rows = sampleRows(200);
  fc.assert(
    fc.property(expressions(fields), (expression) => {
      const one = matcher(expression, fields);
      const found = rows.filter((row) => fits(row, one)).map(({ id }) => id);
      expect(found).toEqual(rows.filter((row) => matches(expression, row)).map(({ id }) => id));
    }),
    { numRuns: 500 },
  );
});

test('wildcards and escapes mean themselves where they should', () => {
  const rows = trickyWords.map((word, id) => ({ ...(sampleRows(1)[0] as Row), id, word }));
  for (const name of ['StringLike', 'StringContains', 'StringStartsWith', 'StringEndsWith'] as const) {
    for (const value of trickyWords.filter((word) => name !== 'StringLike' || word !== '\\')) {
      const condition = { field: 'word', function: name, value };
      const one = matcher(condition, fields);
      expect(rows.filter((row) => fits(row, one))).toEqual(rows.filter((row) => matches(condition, row)));
    }
  }
});

test('a pattern of many wildcards is no trap', () => {
  const pattern = `${'%a'.repeat(2000)}%`;
  const one = matcher({ field: 'word', function: 'StringLike', value: pattern }, fields);
  expect(one.matches(['a'.repeat(1999).repeat(10)])).toBe(true);
  expect(one.matches(['ab'.repeat(1999)])).toBe(false);
});

test.each<[FieldType, string, string, FilterFunction, Json, boolean]>([
  ['number', 'numeric', `${'9'.repeat(40)}.01`, 'GreaterThan', `${'9'.repeat(40)}.001`, true],
  ['number', 'numeric', '-0.5', 'LessThan', '-0.25', true],
  ['number', 'numeric', 'NaN', 'GreaterThan', '1e300', true],
  ['number', 'numeric', 'NaN', 'Equality', 1, false],
  ['number', 'numeric', '-Infinity', 'LessThan', '-1e300', true],
  ['number', 'real', '0.1', 'Equality', 0.1, true],
  ['number', 'double precision', '1e+300', 'Equality', '1e300', true],
  [
    'datetime',
    'timestamp with time zone',
    '2024-01-31 12:00:00.123456+02',
    'Equality',
    '2024-01-31T10:00:00.123456Z',
    true,
  ],
  [
    'datetime',
    'timestamp without time zone',
    '2024-01-31 12:00:00',
    'LessThan',
    '2024-01-31T12:00:00.000001Z',
    true,
  ],
  ['datetime', 'timestamp without time zone', 'infinity', 'GreaterThan', '9999-12-31', true],
  ['datetime', 'date', '-infinity', 'LessThan', '0001-01-01', true],
  ['datetime', 'date', '0044-03-15 BC', 'LessThan', '0001-01-01', true],
  ['datetime', 'date', '12024-01-01', 'GreaterThan', '9999-12-31', true],
  [
    'string',
    'uuid',
    'f81d4fae-7dec-11d0-a765-00a0c91e6bf6',
    'Equality',
    'F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6',
    true,
  ],
  ['string', 'time without time zone', '08:00:00', 'Between', ['08:00', '08:00:00.000'], true],
  ['string', 'time without time zone', '08:00:00.5', 'Equality', '08:00:00.500', true],
  ['string', 'text', '\u{1f600}', 'GreaterThan', '\uffff', true],
  ['array', 'numeric(4,2)[]', '{{1.50,NULL},{2,3}}', 'ArrayContains', '1.5', true],
  ['array', 'text[]', '[0:1]={a,NULL}', 'ArrayContains', 'NULL', false],
  ['array', 'boolean[]', '{f}', 'ArrayContains', false, true],
  [
    'array',
    'timestamp with time zone[]',
    '{"2024-01-31 12:00:00+00"}',
    'ArrayContains',
    '2024-01-31T13:00:00+01:00',
    true,
  ],
])('%s %s %s %s %j: %j', (type, remoteType, held, name, value, holds) => {
  const expression = { field: 'f', function: name, value } as FixedExpression;
  expect(matcher(expression, [{ name: 'f', type, remoteType }]).matches([held])).toBe(holds);
});
