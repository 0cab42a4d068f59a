import type { Task, TaskHost } from '../../src/isolation/index.ts';

/** Runs tasks in this process, for tests of what tasks do. */
export function tasksInProcess(tasks: Record<string, Task>): TaskHost {
  return {
    give(_owner, kind, input) {
      let heed: (how: string) => void = () => {};
      const result = tasks[kind]?.(input as never, { listen: (listener) => (heed = listener) });
      if (result === undefined) throw new Error(`there is no task ${kind}`);
      return { result, steer: (how) => heed(how), kill: (why) => heed(why) };
    },
  };
}
