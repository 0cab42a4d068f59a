import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';

const run = promisify(execFile);

/** Whom PostgreSQL runs as: it refuses to run as root. Undefined: as we are. */
export interface Owner {
  uid: number;
  gid: number;
}

const userName = 'postgres';
/** Used only as root, and only for checkouts or data directories that the user cannot reach. */
const reachable = '/var/lib/tidemark';

/** As root: the user `postgres`, made if it is missing. */
export async function findOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, userName])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    await run('groupadd', ['--system', '-f', userName]);
    await run('useradd', [
      '--system',
      '--no-create-home',
      '-g',
      userName,
      '-s',
      '/usr/sbin/nologin',
      userName,
    ]);
    return { uid: await id('-u'), gid: await id('-g') };
  }
}

/**
 * A folder for the cluster that `owner` can enter: the wanted one, else one below /var/lib/tidemark that is
 * named after it. Opening the folders above to everybody would be the alternative; it is not ours to do.
 */
export async function reachableCluster(wanted: string, owner: Owner | undefined): Promise<string> {
  await mkdir(path.dirname(wanted), { recursive: true });
  if (owner === undefined || (await canEnter(path.dirname(wanted), owner))) return wanted;
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  const parent = path.join(reachable, name);
  await mkdir(parent, { recursive: true, mode: 0o755 });
  return path.join(parent, path.basename(wanted));
}

/** The binaries where `owner` can run them: copied once per version if node_modules is out of its reach. */
export async function reachableBinaries(binaries: Binaries, owner: Owner | undefined): Promise<Binaries> {
  if (owner === undefined || (await canEnter(binaries.root, owner))) return binaries;
  const { mtimeMs, size } = await stat(binaries.postgres);
  const version = createHash('sha256')
    .update(`${binaries.root} ${mtimeMs} ${size}`)
    .digest('hex')
    .slice(0, 16);
  const copy = path.join(reachable, `postgresql-${version}`);
  const moved = (file: string) => path.join(copy, path.relative(binaries.root, file));
  const result = { root: copy, initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) };
  const complete = await access(result.postgres).then(
    () => true,
    () => false,
  );
  if (!complete) {
    await mkdir(reachable, { recursive: true, mode: 0o755 });
    const partial = `${copy}.${process.pid}`;
    await cp(binaries.root, partial, { recursive: true, verbatimSymlinks: true });
    // Two first starts at once: the loser's copy is thrown away.
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }));
  }
  return result;
}

/** Gives the cluster folder to `owner`, who must be able to write in it and is the only one who may read it. */
export async function giveTo(folder: string, owner: Owner | undefined): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
}

/** Asked of the kernel as that user: mode bits alone miss ACLs, group membership and the folders above. */
async function canEnter(folder: string, owner: Owner): Promise<boolean> {
  try {
    await run('test', ['-x', folder], { ...owner, cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
