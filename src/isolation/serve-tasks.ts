import { flushCompileCache } from 'node:module';
import { messageOf } from '../errors.ts';
import { beatInterval, type FromProcess, type ToProcess } from './protocol.ts';

/** What the parent says of the task in hand. Words that came before somebody listened are kept for him. */
export interface Steering {
  listen(heed: (how: string) => void): void;
}

export type Task = (input: never, steering: Steering) => Promise<unknown>;

const tell = (message: FromProcess) => process.send?.(message);

/** Leaves a task of the same owner to another process, or to this one when it has ended what it does. */
export function later(kind: string, input: unknown): void {
  tell({ say: 'later', kind, input });
}

/**
 * Makes this process work for its parent: one task at a time, by kind. It ends with the parent's connection, in the
 * middle of whatever it does, and leaves signals of the terminal to its parent, who drains in order.
 */
export function serveTasks(tasks: Record<string, Task>): void {
  let heed: ((how: string) => void) | undefined;
  let early: string[] = [];
  let isCompiledKept = false;

  const run = async (kind: string, input: unknown) => {
    const task = tasks[kind];
    early = [];
    try {
      if (task === undefined) throw new Error(`there is no task ${kind}`);
      const result = await task(input as never, {
        listen(listener) {
          heed = listener;
          for (const how of early.splice(0)) listener(how);
        },
      });
      tell({ say: 'done', result });
    } catch (error) {
      tell({
        say: 'failed',
        message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
      });
    } finally {
      heed = undefined;
      // Written now: a process that is killed would not do it at its end.
      if (!isCompiledKept) flushCompileCache();
      isCompiledKept = true;
    }
  };

  process.on('message', (message: ToProcess) => {
    if (message.say === 'run') void run(message.kind, message.input);
    else if (heed === undefined) early.push(message.how);
    else heed(message.how);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
  const beat = () => tell({ say: 'beat', residentBytes: process.memoryUsage.rss() });
  beat();
  setInterval(beat, beatInterval);
}
