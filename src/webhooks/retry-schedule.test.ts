import { expect, test } from 'vitest';
import { retryWait } from './retry-schedule.ts';

const waits = [5, 30, 180, 900, 4500];

test('five waits, each spread by a fifth either way, then no more', () => {
  for (const [index, seconds] of waits.entries()) {
    expect(retryWait(index + 1, waits, 0)).toBeCloseTo(seconds * 800);
    expect(retryWait(index + 1, waits, 0.5)).toBeCloseTo(seconds * 1000);
    expect(retryWait(index + 1, waits, 0.999_999)).toBeLessThan(seconds * 1200);
  }
  expect(retryWait(6, waits)).toBeUndefined();
});
