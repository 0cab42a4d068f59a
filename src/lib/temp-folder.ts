import { mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const prefix = 'tidemark-files-';

/** Space on this machine's disk for files on their way. Names come from us, never from a key or URL. */
export interface TempFolder extends AsyncDisposable {
  path: string;
  /** A path that nothing has yet. */
  file(extension?: string): string;
}

/** A folder of this process; those of processes that were killed are removed on the way. */
export async function tempFolder(parent = os.tmpdir()): Promise<TempFolder> {
  await removeAbandoned(parent);
  const folder = await mkdtemp(path.join(await realpath(parent), `${prefix}${process.pid}-`));
  let count = 0;
  return {
    path: folder,
    file: (extension = '') => path.join(folder, `${++count}${extension}`),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid] = new RegExp(`^${prefix}(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(path.join(parent, name), { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
