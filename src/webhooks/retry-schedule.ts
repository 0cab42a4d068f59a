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
