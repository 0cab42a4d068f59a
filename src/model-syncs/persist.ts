import { setTimeout as wait } from 'node:timers/promises';
import { Busy } from '../connectors/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import { SyncFailed } from './sync-failed.ts';

/** Milliseconds to wait before each further try. */
export const retryDelays = [500, 2_000, 8_000] as const;

/** Milliseconds that a destination that is busy is waited for, all pauses together, and one that it did not ask for. */
const patience = 15 * 60_000;
const longestPause = 60_000;

/**
 * Tries again what failed because the destination was away. One that is busy is left alone for as long as it asks for:
 * that is no failed try.
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
  let tries = 0;
  let pauses = 0;
  let waited = 0;
  const give = (error: unknown, why = '') =>
    new SyncFailed(`${what}: ${messageOf(error)}${why}`, { cause: error });

  const delayAfter = (error: unknown): number => {
    if (error instanceof TidemarkError) throw give(error);
    if (!(error instanceof Busy)) {
      const delay = delays[tries++];
      if (delay === undefined) throw give(error, ` (tried ${tries} times)`);
      return delay;
    }
    const delay = Math.max(error.pause, Math.min((delays[0] ?? 0) * 2 ** pauses++, longestPause));
    waited += delay;
    if (waited <= patience) return delay;
    throw give(
      error,
      error.pause > patience
        ? ` (it asks to be left alone for ${Math.round(error.pause / 1000)} s)`
        : ` (it was waited for ${pauses - 1} times)`,
    );
  };

  for (;;) {
    run.signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (isFinal(error)) throw error;
      run.signal.throwIfAborted();
      const delay = delayAfter(error);
      await run.console('warn', `${what}: ${messageOf(error)}; trying again in ${delay / 1000} s`);
      await wait(delay, undefined, { signal: run.signal }).catch(() => run.signal.throwIfAborted());
    }
  }
}
