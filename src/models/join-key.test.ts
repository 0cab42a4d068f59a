import { expect, test } from 'vitest';
import type { Field } from '../connectors/index.ts';
import { readingsOf } from './join-key.ts';

const types = {
  integer: 'number',
  numeric: 'number',
  real: 'number',
  boolean: 'boolean',
  date: 'datetime',
  'timestamp with time zone': 'datetime',
  'timestamp without time zone': 'datetime',
  uuid: 'string',
  text: 'string',
  'character(5)': 'string',
  'character varying(5)': 'string',
} as const satisfies Record<string, Field['type']>;
type Type = keyof typeof types;

function same([type, value]: [Type, string], [otherType, other]: [Type, string]): boolean {
  const [read, readOther] = readingsOf(
    { type: types[type], remoteType: type },
    { type: types[otherType], remoteType: otherType },
  );
  const found = read(value);
  return found !== undefined && found === readOther(other);
}

test.each<[Type, string, Type, string]>([
  ['integer', '1', 'numeric', '1.000'],
  ['integer', '0', 'numeric', '-0.0'],
  ['numeric', '1500', 'real', '1.5e+03'],
  ['numeric', '0.00012', 'text', '1.2e-4'],
  ['numeric', '12345678901234567890.10', 'text', '12345678901234567890.1'],
  ['real', 'NaN', 'numeric', 'NaN'],
  ['real', '-Infinity', 'numeric', '-Infinity'],
  ['text', '007', 'text', '007'],
  ['boolean', 't', 'integer', '1'],
  ['boolean', 'f', 'text', 'FALSE'],
  ['date', '2024-02-29', 'timestamp without time zone', '2024-02-29 00:00:00'],
  [
    'timestamp with time zone',
    '2024-01-01 01:00:00.5+01',
    'timestamp without time zone',
    '2024-01-01 00:00:00.50',
  ],
  ['timestamp with time zone', 'infinity', 'date', 'infinity'],
  ['date', '2024-02-29', 'text', '2024-02-29T00:00:00Z'],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'text', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'text', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
  ['character(5)', 'ab   ', 'text', 'ab'],
  ['text', '', 'character varying(5)', ''],
])('%s %s is the same as %s %s', (type, value, otherType, other) => {
  expect(same([type, value], [otherType, other])).toBe(true);
  expect(same([otherType, other], [type, value])).toBe(true);
});

test.each<[Type, string, Type, string]>([
  ['integer', '7', 'text', '007'],
  ['integer', '1', 'text', ' 1'],
  ['integer', '0', 'text', ''],
  ['integer', '1', 'integer', '-1'],
  ['numeric', '9007199254740993', 'numeric', '9007199254740992'],
  ['text', 'x', 'integer', '1'],
  ['text', '1', 'text', '1.0'],
  ['text', 'a', 'text', 'A'],
  ['text', 'a', 'text', 'a '],
  ['character varying(5)', 'a ', 'text', 'a'],
  ['boolean', 't', 'text', 'maybe'],
  ['timestamp without time zone', '2024-01-01 00:00:00.000001', 'date', '2024-01-01'],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'text', 'a0eebc99'],
])('%s %s is not the same as %s %s', (type, value, otherType, other) => {
  expect(same([type, value], [otherType, other])).toBe(false);
  expect(same([otherType, other], [type, value])).toBe(false);
});
