import { realpath } from 'node:fs/promises';
import { identityOf, isLocked, LockHeld, type ProcessLock, takeLock } from '../lib/process-lock.ts';
import { type DataDirectory, readAnnouncement } from './data-directory.ts';

/** Another server runs on the data directory. `message` names it. */
export class DataDirectoryInUse extends Error {
  override name = 'DataDirectoryInUse';
}

/**
 * Takes a data directory for this process, until `release` or its end: its path, since a server opens files by it,
 * and the folder, which may have other paths (a bind mount, a name that it was given meanwhile).
 *
 * @throws DataDirectoryInUse
 */
export async function lockDataDirectory(directory: DataDirectory): Promise<ProcessLock> {
  const taken: ProcessLock[] = [];
  const release = async () => {
    for (const lock of taken.toReversed()) await lock.release();
  };
  try {
    for (const name of await locksOf(directory)) taken.push(await takeLock(name));
  } catch (error) {
    await release();
    if (!(error instanceof LockHeld)) throw error;
    throw await inUse(directory, error.holder);
  }
  return { release };
}

/** Whether a server runs on it, or is about to start or stop. */
export async function isInUse(directory: DataDirectory): Promise<boolean> {
  const [byPath = ''] = await locksOf(directory);
  return isLocked(byPath);
}

async function locksOf({ folder }: DataDirectory): Promise<string[]> {
  return [await realpath(folder), `data directory ${await identityOf(folder)}`];
}

async function inUse(directory: DataDirectory, holder: string): Promise<DataDirectoryInUse> {
  const server = await readAnnouncement(directory);
  // One that is still starting, or already draining, has no address.
  const address = server === undefined ? '' : ` at ${server.url}`;
  return new DataDirectoryInUse(
    `Another Tidemark server (process ${holder}) runs${address} on ${directory.folder}. ` +
      'Stop it, or choose another folder with TIDEMARK_DATA_DIR.',
  );
}
