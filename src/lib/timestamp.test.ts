import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTimestamp, microsecondsOf, readTime } from './timestamp.ts';

test.each([
  '2020-001',
  'Wed, 01 Jan 2020 00:00:00 GMT',
  '2020-02-30T00:00:00Z',
  '2021-02-29T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '2020-01-01T24:00:00Z',
  '2020-01-01T23:59:60Z',
  '2020-01-01T00:00:00+16:00',
  '2020-01-01T00:00:00+1',
  '2020-13-01T00:00:00Z',
  '0001-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '9999-12-31T23:59:59.9999995Z',
  '2020-01-01T00:00:00Z\n',
  ' 2020-01-01T00:00:00Z',
  '+002020-01-01T00:00:00Z',
  `2020-01-01T00:00:00.${'0'.repeat(100)}Z`,
  'infinity',
  'now',
  '',
])('%j is no time', (text) => {
  expect(readTime(text)).toBeUndefined();
});

test('a day alone is a time and no moment; what may be left out may be', () => {
  expect(readTime('2020-02-29')).toEqual({ micros: 1_582_934_400_000_000n, day: true, finer: false });
  expect(isTimestamp('2020-02-29')).toBe(false);
  const same = [
    '2020-02-29T01:00:00+01:00',
    '2020-02-29 00:00',
    '2020-02-28T19:00-0500',
    '2020-02-29t00:00z',
  ];
  for (const text of same) expect(microsecondsOf(text), text).toBe(1_582_934_400_000_000);
  expect(readTime('0001-01-01T00:00:00Z')?.micros).toBe(-62_135_596_800_000_000n);
  expect(readTime('9999-12-31T23:59:59.999999Z')?.micros).toBe(253_402_300_799_999_999n);
  expect(readTime('2020-01-01T00:00:00.0000005Z')).toMatchObject({
    micros: 1_577_836_800_000_001n,
    finer: true,
  });
});

test('every moment of a Date is read as that moment', () => {
  const date = fc.date({
    min: new Date(-62_135_596_800_000),
    max: new Date(253_402_300_799_999),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(date, (moment) => {
      expect(Number((readTime(moment.toISOString())?.micros ?? 0n) / 1000n)).toBe(moment.getTime());
    }),
  );
});
