import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRetryAfter } from '../lib/retry-after.ts';
import { retryWait } from './retry-schedule.ts';

const waits = [5, 30, 180, 900, 4500];
const hour = 3_600_000;

test('five waits, each spread by a fifth either way, then no more', () => {
  for (const [index, seconds] of waits.entries()) {
    expect(retryWait(index + 1, waits, 0, 0)).toBeCloseTo(seconds * 800);
    expect(retryWait(index + 1, waits, 0, 0.5)).toBeCloseTo(seconds * 1000);
    expect(retryWait(index + 1, waits, 0, 0.999_999)).toBeLessThan(seconds * 1200);
  }
  expect(retryWait(6, waits)).toBeUndefined();
});

test('Retry-After only lengthens a wait, by an hour at most, and adds no attempt', () => {
  const requested = fc.integer({ min: 0, max: 10 * 24 * hour });
  const random = fc.double({ min: 0, max: 0.999_999, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), requested, random, (attempt, asked, chance) => {
      const own = retryWait(attempt, waits, 0, chance) ?? 0;
      const wait = retryWait(attempt, waits, asked, chance) ?? 0;
      expect(wait).toBeGreaterThanOrEqual(own);
      expect(wait).toBeLessThanOrEqual(Math.max(own, hour));
      expect(wait).toBeGreaterThanOrEqual(Math.min(asked, hour));
      expect(retryWait(6, waits, asked, chance)).toBeUndefined();
    }),
  );
});

test('Retry-After in seconds or as a date; anything else asks for nothing', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const asked = (text: string) => parseRetryAfter({ 'retry-after': text }, now);
  expect(asked('120')).toBe(120_000);
  expect(asked('Thu, 01 Jan 2026 00:02:00 GMT')).toBe(120_000);
  expect(asked('Thursday, 01-Jan-26 00:02:00 GMT')).toBe(120_000);
  expect(asked('Thu Jan  1 00:02:00 2026')).toBe(120_000);
  expect(asked('Saturday, 01-Jan-77 00:00:00 GMT')).toBe(0);
  expect(parseRetryAfter({}, now)).toBe(0);
  for (const text of ['', 'soon', '-5', '1e9', '9'.repeat(30), 'Wed, 31 Dec 2025 00:00:00 GMT']) {
    expect(asked(text)).toBe(0);
  }
  // By the endpoint's clock where it tells it, however wrong that or ours is.
  const headers = { date: 'Fri, 02 Jan 2026 05:00:00 GMT', 'retry-after': 'Fri, 02 Jan 2026 05:00:10 GMT' };
  expect(parseRetryAfter(headers, now)).toBe(10_000);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const wait = asked(text);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(Number.isFinite(wait)).toBe(true);
    }),
  );
});
