import { rm } from 'node:fs/promises';
import { removeEmbeddedPostgres } from '../db/index.ts';
import { openDataDirectory } from './data-directory.ts';
import { lockDataDirectory } from './lock.ts';

/**
 * Throws a data directory away with everything in it, its PostgreSQL included.
 *
 * @throws DataDirectoryInUse
 */
export async function clearDataDirectory(folder: string): Promise<void> {
  const directory = await openDataDirectory(folder);
  const lock = await lockDataDirectory(directory);
  try {
    await removeEmbeddedPostgres(folder);
    await rm(folder, { recursive: true, force: true });
  } finally {
    await lock.release();
  }
}
