import { globSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [library] = globSync('/usr/lib/*/faketime/libfaketime.so.1');

/** Whether a process can be given a wall clock of its own here (Debian: faketime). Says so when it cannot. */
export function canFakeTime(): boolean {
  if (library !== undefined) return true;
  // On the machine that decides about a change nothing may be left out.
  if (process.env.TIDEMARK_TEST_FAKETIME === 'required') throw new Error('faketime is missing');
  console.warn('faketime is not installed: workers whose clock jumps are NOT tested by this run');
  return false;
}

/** A wall clock for a process, right at first. Timers go on as they are: a monotonic clock does not jump. @param folder is written to */
export function fakeClock(folder: string): {
  environment: Record<string, string>;
  jump(seconds: number): void;
} {
  const file = path.join(folder, 'clock');
  const jump = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`);
  jump(0);
  return {
    jump,
    environment: {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}
