import { setImmediate as turn } from 'node:timers/promises';

export interface Held<Result> {
  result: Result;
  /** Milliseconds of processor time of the longest stretch in which nothing else had a turn. */
  longest: number;
}

/**
 * How long the event loop is held while something is done. Processor time of this thread between two of its turns: what
 * other processes of a busy machine take away does not count.
 */
export async function held<Result>(work: () => Promise<Result>): Promise<Held<Result>> {
  let done = false;
  let longest = 0;
  let before = process.threadCpuUsage();
  const watching = (async () => {
    while (!done) {
      await turn();
      const now = process.threadCpuUsage();
      longest = Math.max(longest, now.user + now.system - before.user - before.system);
      before = now;
    }
  })();
  try {
    await turn();
    const result = await work();
    await turn();
    return { result, longest: longest / 1000 };
  } finally {
    done = true;
    await watching;
  }
}
