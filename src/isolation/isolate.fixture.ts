/** A program for tests of processes: it does what systems of users have made processes do. */
import { serveTasks } from './index.ts';

const kept: Buffer[] = [];

serveTasks({
  pid: async () => process.pid,
  echo: async (input: unknown) => input,
  refuse: async () => {
    throw new Error('no');
  },
  /** Waits until it is told to end. */
  wait: (_input, { listen }) => new Promise((resolve) => listen(resolve)),
  hang: async () => {
    for (;;);
  },
  grow: async () => {
    for (;;) {
      kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
      await new Promise(setImmediate);
    }
  },
  exit: async () => process.exit(3),
  /** As in a listener of a driver. */
  crash: () => {
    setImmediate(() => {
      throw new Error('malformed message');
    });
    return new Promise(() => {});
  },
});
