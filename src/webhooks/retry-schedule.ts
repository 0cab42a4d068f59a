/** Each wait is spread by this share either way, so that an endpoint that comes back is not hit all at once. */
const jitter = 0.2;
/** What an endpoint may ask for with Retry-After at most, in milliseconds. */
const longestRequested = 3_600_000;

/**
 * Milliseconds to wait after a failed attempt, or undefined when the attempts are used up.
 *
 * @param attempt number of the attempt that failed, from 1. @param waits seconds before each retry.
 * @param requested milliseconds the endpoint asked for: lengthens the wait, up to an hour, never shortens it.
 * @param random in [0, 1).
 */
export function retryWait(
  attempt: number,
  waits: readonly number[],
  requested = 0,
  random = Math.random(),
): number | undefined {
  const seconds = waits[attempt - 1];
  if (seconds === undefined) return undefined;
  const own = seconds * 1000 * (1 - jitter + 2 * jitter * random);
  return Math.max(own, Math.min(requested, longestRequested));
}

/**
 * Milliseconds that a response's Retry-After asks for: seconds or an HTTP date. 0 when it says neither. A date is meant
 * by the clock that the same response tells in its Date.
 */
export function parseRetryAfter(headers: Readonly<Record<string, string>>, now: number): number {
  const text = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = httpDate(text);
  return date === undefined ? 0 : Math.max(0, date - (httpDate(headers.date) ?? now));
}

function httpDate(text = ''): number | undefined {
  const time = /^[A-Za-z]{3}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
