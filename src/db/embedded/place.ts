import { lstat, mkdir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { passwordFileOf } from './initialize.ts';

/** The real path of the cluster of a data directory, existing or to be made: always inside. @throws for a link. */
export async function placeCluster(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const cluster = path.join(await realpath(dataDir), 'postgresql');
  const found = await lstat(cluster).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (found?.isSymbolicLink()) throw linked(cluster, path.resolve(cluster, '..', await readlink(cluster)));
  return cluster;
}

/**
 * Earlier versions made such a link where the user `postgres` could not enter the data directory. A copy of the
 * directory has the same link, and nothing tells which of both the database belongs to.
 */
function linked(cluster: string, target: string): Error {
  const folder = path.dirname(cluster);
  const [from, to] = [passwordFileOf(target), passwordFileOf(cluster)];
  return new Error(
    `${cluster} is a link to ${target}. The database has to be in the data directory itself, so that a copy of ` +
      `${folder} is complete and never works on the database of another one. Nothing was changed.\n` +
      `If the database is that of this directory, stop every server that works on it and move it in:\n` +
      `  rm '${cluster}' && mv '${target}' '${cluster}' && mv '${from}' '${to}'\n` +
      `If ${folder} is a copy of another data directory, leave the other one its database: copy it ("cp -a" in place of "mv").`,
  );
}
