/** Each wait is spread by this share either way, so that an endpoint that comes back is not hit all at once. */
const jitter = 0.2;

/**
 * Milliseconds to wait after a failed attempt, or undefined when the attempts are used up.
 *
 * @param attempt number of the attempt that failed, from 1. @param waits seconds before each retry.
 * @param random in [0, 1).
 */
export function retryWait(
  attempt: number,
  waits: readonly number[],
  random = Math.random(),
): number | undefined {
  const seconds = waits[attempt - 1];
  return seconds === undefined ? undefined : seconds * 1000 * (1 - jitter + 2 * jitter * random);
}
