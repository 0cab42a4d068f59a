/** What the parent says. A process has one task at a time. */
export type ToProcess =
  | { say: 'run'; kind: string; input: unknown }
  /** For the task in hand, in its own words. */
  | { say: 'steer'; how: string };

/** What the process says. */
export type FromProcess =
  | { say: 'beat'; residentBytes: number }
  /** A task of its own, for when there is a place: the one in hand does not wait for it. */
  | { say: 'later'; kind: string; input: unknown }
  | { say: 'done'; result: unknown }
  /** The task threw. What it throws as an answer is a result. */
  | { say: 'failed'; message: string };

/** Milliseconds between two beats of a process: its event loop turns. */
export const beatInterval = 1000;
