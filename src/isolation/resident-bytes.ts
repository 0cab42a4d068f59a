import { readFileSync } from 'node:fs';

/**
 * Memory of another process as the kernel counts it: pages of 4 KiB, the second number of `/proc/<pid>/statm`.
 *
 * @returns undefined where the system does not say, or the process is gone.
 */
export function residentBytes(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const [, resident] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return resident === undefined ? undefined : Number(resident) * 4096;
  } catch {
    return undefined;
  }
}
