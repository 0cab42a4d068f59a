import { expect, test } from 'vitest';
import { atTime } from './index.ts';

const now = '2024-03-31T12:30:00.123456Z';
const at = (name: 'RelativeOnOrAfter' | 'RelativeOnOrBefore' | 'InTheLast', value: string) =>
  atTime({ field: 'f', function: name, value }, now);

test.each([
  ['now', '2024-03-31 12:30:00.123456+00'],
  ['48 hours ago', '2024-03-29 12:30:00.123456+00'],
  ['1 week ago', '2024-03-24 12:30:00.123456+00'],
  ['90 seconds from now', '2024-03-31 12:31:30.123456+00'],
  ['1 month ago', '2024-02-29 12:30:00.123456+00'],
  ['13 Months AGO', '2023-02-28 12:30:00.123456+00'],
  ['3 months from now', '2024-06-30 12:30:00.123456+00'],
  ['60 years ago', '1964-03-31 12:30:00.123456+00'],
])('%s', (value, expected) => {
  expect(at('RelativeOnOrAfter', value)).toEqual({ field: 'f', function: 'OnOrAfter', value: expected });
});

test('everything relative is replaced, everything else stays', () => {
  const isNull = { field: 'g', function: 'IsNull' as const, value: null };
  const relative = { field: 'f', function: 'RelativeOnOrBefore' as const, value: '1 day ago' };
  const last = { field: 'f', function: 'InTheLast' as const, value: '7 days' };
  expect(atTime({ and: [isNull, { or: [{ not: relative }, last] }] }, now)).toEqual({
    and: [
      isNull,
      {
        or: [
          { not: { field: 'f', function: 'OnOrBefore', value: '2024-03-30 12:30:00.123456+00' } },
          {
            field: 'f',
            function: 'Between',
            value: ['2024-03-24 12:30:00.123456+00', '2024-03-31 12:30:00.123456+00'],
          },
        ],
      },
    ],
  });
});

test('a time that no database holds is refused', () => {
  expect(() => at('InTheLast', '3000 years')).toThrow('filter on f: "3000 years" is out of range');
});
