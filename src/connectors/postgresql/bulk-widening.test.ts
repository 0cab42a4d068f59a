import { expect, test } from 'vitest';
import { holds } from './bulk-widening.ts';

test.each([
  ['smallint', 'integer'],
  ['integer', 'bigint'],
  ['bigint', 'numeric'],
  ['bigint', 'numeric(19,0)'],
  ['integer', 'numeric(12,2)'],
  ['numeric(10,2)', 'numeric(12,4)'],
  ['numeric(10,2)', 'numeric'],
  ['real', 'double precision'],
  ['character varying(20)', 'character varying(21)'],
  ['character varying(20)', 'character varying'],
  ['character varying(20)', 'text'],
  ['text', 'character varying'],
  ['character(3)', 'character varying(3)'],
  ['character(3)', 'text'],
  ['date', 'timestamp without time zone'],
  ['date', 'timestamp(0) without time zone'],
  ['timestamp(3) with time zone', 'timestamp(6) with time zone'],
  ['timestamp(3) without time zone', 'timestamp without time zone'],
  ['integer[]', 'bigint[]'],
  ['character varying(20)[]', 'text[]'],
  ['interval(3)', 'interval'],
  ['bit(5)', 'bit varying(5)'],
  ['jsonb', 'json'],
  ['uuid', 'text'],
])('%s fits into %s and not the other way round', (small, large) => {
  expect(holds(large, small)).toBe(true);
  expect(holds(small, small)).toBe(true);
  if (!(small === 'text')) expect(holds(small, large)).toBe(false);
});

test.each([
  ['integer', 'real'],
  ['bigint', 'double precision'],
  ['bigint', 'numeric(18,0)'],
  ['numeric', 'double precision'],
  ['numeric(38,9)', 'numeric(38,10)'],
  ['double precision', 'numeric'],
  ['double precision', 'text'],
  ['numeric(10,2)', 'numeric(10,3)'],
  ['timestamp without time zone', 'timestamp with time zone'],
  ['timestamp with time zone', 'text'],
  ['date', 'timestamp with time zone'],
  ['bit(5)', 'bit(6)'],
  ['integer', 'integer[]'],
  ['interval day to second(3)', 'interval day to second(6)'],
])('%s and %s do not hold each other', (one, other) => {
  expect(holds(one, other)).toBe(false);
  expect(holds(other, one)).toBe(false);
});
