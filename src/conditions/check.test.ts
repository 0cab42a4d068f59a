import { expect, test } from 'vitest';
import type { Json } from '../lib/json.ts';
import { filterFunctions } from '../schema/filter.ts';
import { checkCondition } from './check.ts';
import type { FilterField } from './expression.ts';
import { readOperands } from './operands.ts';

const fields: FilterField[] = [
  { name: 'id', type: 'number', remoteType: 'bigint' },
  { name: 'age', type: 'number', remoteType: 'smallint' },
  { name: 'small', type: 'number', remoteType: 'tinyint(3) unsigned' },
  { name: 'price', type: 'number', remoteType: 'numeric(6,2)' },
  { name: 'hundreds', type: 'number', remoteType: 'numeric(3,-2)' },
  { name: 'big', type: 'number', remoteType: 'numeric' },
  { name: 'ratio', type: 'number', remoteType: 'real' },
  { name: 'name', type: 'string', remoteType: 'text' },
  { name: 'key', type: 'string', remoteType: 'uuid' },
  { name: 'opens', type: 'string', remoteType: 'time without time zone' },
  { name: 'size', type: 'string', remoteType: "enum('S','it''s')" },
  { name: 'mood', type: 'string', remoteType: 'enum()' },
  { name: 'paid', type: 'boolean', remoteType: 'boolean' },
  { name: 'at', type: 'datetime', remoteType: 'timestamp with time zone' },
  { name: 'day', type: 'datetime', remoteType: 'date' },
  { name: 'fine', type: 'datetime', remoteType: 'TIMESTAMP_NS' },
  { name: 'tags', type: 'array', remoteType: 'text[]' },
  { name: 'scores', type: 'array', remoteType: 'INTEGER[]' },
  { name: 'papers', type: 'array', remoteType: 'jsonb[]' },
  { name: 'extra', type: 'object', remoteType: 'jsonb' },
];
const places = { field: 'f.field', function: 'f.function', value: 'f.value' };

function operands(field: string, name: string, value?: Json): string[] {
  const condition = checkCondition({ field, function: name, value }, fields, places);
  return readOperands(
    condition,
    fields.find((one) => one.name === field),
    'again',
  );
}

test.each<[string, string, Json | undefined, string[]]>([
  ['id', 'Equality', '9007199254740993', ['9007199254740993']],
  ['id', 'Equality', '1e3', ['1000']],
  ['id', 'Equality', '10.00', ['10']],
  ['id', 'Equality', -0, ['0']],
  ['id', 'Equality', '-9223372036854775808', ['-9223372036854775808']],
  ['small', 'Equality', 255, ['255']],
  ['price', 'GreaterThan', '9999.99', ['9999.99']],
  ['price', 'LessThan', 0.05, ['0.05']],
  ['hundreds', 'Equality', 12300, ['12300']],
  ['big', 'Equality', `${'9'.repeat(60)}.5`, [`${'9'.repeat(60)}.5`]],
  ['big', 'Equality', '1.5e-7', ['0.00000015']],
  ['ratio', 'Equality', '1e-30', [`0.${'0'.repeat(29)}1`]],
  ['name', 'Equality', 10, ['10']],
  ['name', 'StringOneOf', ['a', ''], ['a', '']],
  ['size', 'Equality', "it's", ["it's"]],
  ['size', 'StringContains', 'any', ['any']],
  ['mood', 'Equality', 'any', ['any']],
  ['opens', 'LessThan', '08:30', ['08:30']],
  ['paid', 'Equality', 'TRUE', ['true']],
  ['paid', 'True', undefined, []],
  ['paid', 'False', '', []],
  ['extra', 'IsNull', null, []],
  ['at', 'Equality', '2024-01-31T12:00:00.123456+01:30', ['2024-01-31 10:30:00.123456+00']],
  ['at', 'Equality', '2024-01-31 12:00', ['2024-01-31 12:00:00.000000+00']],
  ['at', 'OnOrAfter', '2024-01-31', ['2024-01-31 00:00:00.000000+00']],
  ['at', 'OnOrBefore', '2024-01-31', ['2024-01-31 23:59:59.999999+00']],
  ['at', 'LessThanEqual', '2024-01-31', ['2024-01-31 00:00:00.000000+00']],
  [
    'at',
    'Between',
    ['2024-01-31', '2024-01-31'],
    ['2024-01-31 00:00:00.000000+00', '2024-01-31 23:59:59.999999+00'],
  ],
  ['at', 'Equality', '1969-12-31T23:59:59.9999990Z', ['1969-12-31 23:59:59.999999+00']],
  ['day', 'OnOrBefore', '2024-01-31T23:30:00-01:00', ['2024-02-01']],
  ['tags', 'ArrayContains', 'x', ['x']],
  ['scores', 'ArrayDoesNotContain', '7', ['7']],
])('%s %s %j is read as %j', (field, name, value, expected) => {
  expect(operands(field, name, value)).toEqual(expected);
});

test.each<[string, string, Json | undefined, string]>([
  ['nope', 'Equality', 1, 'f.field: "nope" is no field; there are id (number), age (number)'],
  ['', 'Equality', 1, 'f.field: is needed'],
  ['name', 'Equals', 1, 'f.function: "Equals" is no function; there are Equality, Inequality, IsNull'],
  ['name', 'toString', 1, 'f.function: "toString" is no function'],
  ['id', 'StringContains', '1', 'StringContains does not suit id (number), which takes Equality, Inequality'],
  ['extra', 'Equality', '{}', 'Equality does not suit extra (object), which takes IsNull, IsNotNull'],
  ['name', 'True', undefined, 'f.function: True does not suit name (string)'],
  ['id', 'Equality', undefined, 'f.value: Equality needs a value; NULL is asked for with IsNull'],
  ['id', 'Equality', [1], 'f.value: Equality takes one value, not [1]'],
  ['id', 'Equality', 'ten', 'f.value: "ten" is no number, as bigint needs'],
  ['id', 'Equality', '', 'is no number'],
  ['id', 'Equality', true, 'is no number'],
  ['id', 'Equality', 1.5, 'f.value: 1.5 does not fit bigint'],
  ['id', 'Equality', '9223372036854775808', 'does not fit bigint'],
  ['id', 'Equality', 9007199254740992, 'lost digits on its way; write it as a text'],
  ['id', 'Equality', '1e9999', 'is no number'],
  ['age', 'GreaterThan', 40000, '40000 does not fit smallint'],
  ['small', 'Equality', -1, '-1 does not fit tinyint(3) unsigned'],
  ['price', 'Equality', '1.234', '"1.234" does not fit numeric(6,2)'],
  ['price', 'Equality', '10000', 'does not fit numeric(6,2)'],
  ['hundreds', 'Equality', 50, '50 does not fit numeric(3,-2)'],
  ['ratio', 'Equality', '1e39', 'does not fit real'],
  ['key', 'Equality', 'x', '"x" is no uuid; e.g. "f81d4fae'],
  ['opens', 'Equality', 'noon', '"noon" is no time without time zone; e.g. "23:59:59"'],
  ['size', 'Equality', 'XL', `"XL" is no value of size, which has 'S','it''s'`],
  ['paid', 'Equality', 'yes', '"yes" is neither true nor false, as paid is'],
  ['paid', 'True', true, 'f.value: True takes no value; leave it out'],
  ['at', 'Equality', '2024-02-30', '"2024-02-30" is no time; e.g.'],
  ['at', 'Equality', '2024-01-31T12:00:00.1234567Z', 'with six digits of a second at most'],
  ['at', 'Equality', '2024-01-31T24:00:00Z', 'is no time'],
  ['fine', 'LessThan', '9999-12-31', '"9999-12-31" does not fit TIMESTAMP_NS'],
  ['at', 'Equality', 1706659200, 'is no time'],
  ['at', 'Between', ['2024-01-31'], 'f.value: Between takes a list of two values, not ["2024-01-31"]'],
  ['at', 'Between', ['2024-01-31', null], 'f.value.1: Between needs a value'],
  [
    'at',
    'InTheLast',
    '7 days ago',
    'f.value: InTheLast takes a span like "48 hours" or "7 days", not "7 days ago"',
  ],
  ['at', 'InTheLast', 7, 'takes a span'],
  ['at', 'RelativeOnOrAfter', 'yesterday', 'takes a time like "48 hours ago", "7 days from now" or "now"'],
  ['at', 'RelativeOnOrAfter', '999999 years ago', 'takes a time like'],
  ['name', 'StringOneOf', [], 'f.value: StringOneOf takes a list of 1 to 1000 values, not []'],
  ['name', 'StringOneOf', 'a', 'takes a list'],
  ['name', 'StringOneOf', ['a', ['b']], 'f.value.1: StringOneOf takes one value, not ["b"]'],
  [
    'name',
    'StringOneOf',
    Array(1001).fill('a'),
    'f.value: StringOneOf takes a list of 1 to 1000 values, not ["a"',
  ],
  ['name', 'Equality', 'a\0b', 'contains a NUL character'],
  ['name', 'Equality', '\ud800', 'half a surrogate pair'],
  ['name', 'StringLike', 'a\\\\\\', 'ends with a backslash that has nothing to escape'],
  ['papers', 'ArrayContains', 'x', 'elements of jsonb[] cannot be compared'],
  ['scores', 'ArrayContains', 'x', '"x" is no number, as integer needs'],
  ['tags', 'ArrayContains', ['x'], 'ArrayContains takes one value'],
])('%s %s %j is refused: %s', (field, name, value, message) => {
  expect(() => operands(field, name, value)).toThrow(message);
});

test('lists and texts have bounds', () => {
  const list = Array(1001).fill('a');
  expect(() => operands('name', 'StringOneOf', list)).toThrow('takes a list of 1 to 1000 values, not ["a"');
  expect(() => operands('name', 'Equality', 'x'.repeat(10_001))).toThrow('is longer than 10000 characters');
});

test('while the fields are not known, functions and shapes are checked all the same', () => {
  const check = (name: string, value?: Json) =>
    checkCondition({ field: 'anything', function: name, value }, undefined, places);
  expect(check('Equality', true)).toEqual({ field: 'anything', function: 'Equality', value: true });
  expect(() => check('Between', 1)).toThrow('f.value: Between takes a list of two values');
  expect(() => check('nope')).toThrow('f.function: "nope" is no function');
});

test('every function suits some field, and what it takes is settled', () => {
  expect(filterFunctions).toHaveLength(29);
  for (const name of filterFunctions) {
    const suits = fields.filter((field) => {
      try {
        checkCondition({ field: field.name, function: name }, [field], places);
        return true;
      } catch (error) {
        return !String(error).includes('does not suit');
      }
    });
    expect([name, suits.length > 0]).toEqual([name, true]);
  }
});
