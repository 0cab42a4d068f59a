import { setTimeout as wait } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import { SyncFailed } from './sync-failed.ts';

/** Milliseconds to wait before each further try. */
export const retryDelays = [500, 2_000, 8_000] as const;

/**
 * Tries again what failed because the destination was away.
 *
 * @param what is tried, for the reader of the console log: `a batch could not be written`.
 * @param isFinal failures that trying again cannot mend; thrown as they are.
 * @throws SyncFailed after the last try; the reason of the abort when the run is to stop.
 */
export async function persist<Result>(
  run: Run,
  delays: readonly number[],
  what: string,
  attempt: () => Promise<Result>,
  isFinal: (error: unknown) => boolean = () => false,
): Promise<Result> {
  for (let tries = 0; ; tries++) {
    run.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (isFinal(error)) throw error;
      run.signal.throwIfAborted();
      const delay = delays[tries];
      const told = `${what}: ${messageOf(error)}`;
      if (delay === undefined) throw new SyncFailed(`${told} (tried ${tries + 1} times)`, { cause: error });
      await run.console('warn', `${told}; trying again in ${delay / 1000} s`);
      await wait(delay, undefined, { signal: run.signal }).catch(() => run.signal.throwIfAborted());
    }
  }
}
