import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks again and again until the answer is something, for what another process does and cannot signal.
 *
 * @param check its first result other than false, null and undefined is returned. @param deadline milliseconds.
 */
export async function until<Result>(
  check: () => Promise<Result | false | null | undefined> | Result | false | null | undefined,
  deadline = 240_000,
): Promise<Result> {
  const end = Date.now() + deadline;
  for (;;) {
    const result = await check();
    if (result !== false && result !== null && result !== undefined) return result;
    if (Date.now() > end)
      throw new Error(`still ${String(result)} after ${deadline} ms: ${check.toString()}`);
    await pause(20);
  }
}
