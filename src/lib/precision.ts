import { microsecondsOf } from './timestamp.ts';

/** Microseconds. */
export interface Span {
  from: number;
  to: number;
}

/**
 * What a timestamp of RFC 3339 may stand for when it was cut to the digits it has: 12:00:00 for any moment of that
 * second, 12:00:00.123 for any of that millisecond. With six digits it is exact, and undefined; so it is in years that
 * nothing here comes from, such as 9999 for "the end", whose microseconds no number holds.
 */
export function cutSpan(text: string): Span | undefined {
  const digits = /\.(\d+)/.exec(text)?.[1]?.length ?? 0;
  if (digits >= 6) return undefined;
  const from = microsecondsOf(text);
  const to = from + 10 ** (6 - digits);
  return Number.isSafeInteger(to) ? { from, to } : undefined;
}

export function fromMicroseconds(value: number): string {
  const milliseconds = Math.floor(value / 1000);
  const rest = String(value - milliseconds * 1000).padStart(3, '0');
  return new Date(milliseconds).toISOString().replace('Z', `${rest}Z`);
}
