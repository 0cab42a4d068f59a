import { expect, test } from 'vitest';
import { cutSpan, fromMicroseconds } from './precision.ts';
import { microsecondsOf } from './timestamp.ts';

test('a timestamp stands for the unit of its last digit', () => {
  const span = (text: string) => {
    const found = cutSpan(text);
    return found && [fromMicroseconds(found.from), fromMicroseconds(found.to)];
  };
  expect(span('2026-01-01T12:00:59Z')).toEqual([
    '2026-01-01T12:00:59.000000Z',
    '2026-01-01T12:01:00.000000Z',
  ]);
  expect(span('2026-01-01T12:00Z')).toEqual(['2026-01-01T12:00:00.000000Z', '2026-01-01T12:00:01.000000Z']);
  expect(span('2026-01-01T12:00:00.999Z')?.[1]).toBe('2026-01-01T12:00:01.000000Z');
  expect(span('2026-01-01T12:00:00.12345Z')?.[1]).toBe('2026-01-01T12:00:00.123460Z');
  expect(span('2026-01-01 14:00:00+02:00')?.[0]).toBe('2026-01-01T12:00:00.000000Z');
  expect(span('2026-01-01T14:00:00+0200')?.[0]).toBe('2026-01-01T12:00:00.000000Z');
  expect(span('2026-01-01T12:00:00')?.[0]).toBe('2026-01-01T12:00:00.000000Z');
  expect(span('1969-12-31T23:59:59.5Z')?.[0]).toBe('1969-12-31T23:59:59.500000Z');
  expect(span('2026-01-01T12:00:00.000000Z')).toBeUndefined();
  expect(span('2026-01-01T12:00:00.123456789Z')).toBeUndefined();
  expect(span('9999-12-31T23:59:59Z')).toBeUndefined();
});

test('microseconds come back as they were', () => {
  for (const text of ['2026-01-01T12:00:00.000001Z', '2026-01-01T12:00:00.999999Z']) {
    expect(fromMicroseconds(microsecondsOf(text))).toBe(text);
  }
});
