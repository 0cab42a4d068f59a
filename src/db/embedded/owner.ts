import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../errors.ts';
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
    await createUser();
    return { uid: await id('-u'), gid: await id('-g') };
  }
}

async function createUser(): Promise<void> {
  const flags = ['--system', '--no-create-home', '-g', userName, '-s', '/usr/sbin/nologin'];
  try {
    await run('groupadd', ['--system', '-f', userName]);
    await run('useradd', [...flags, userName]);
  } catch (cause) {
    throw new Error(
      `PostgreSQL does not run as root, and a user ${userName} could not be made (${messageOf(cause)}). ` +
        'Make one, run Tidemark as another user, or set DATABASE_URL.',
      { cause },
    );
  }
}

/** Where the cluster behind `link` really is; undefined when there is none. */
export async function findCluster(link: string): Promise<string | undefined> {
  return realpath(link).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
}

/**
 * The real path of the cluster, existing or to be made, where `owner` can enter: `link` itself, else a folder
 * below /var/lib/tidemark that `link` then points to. Opening the folders above to everybody would be the
 * alternative; it is not ours to do.
 *
 * @throws when there is a cluster that `owner` cannot enter any more.
 */
export async function placeCluster(link: string, owner: Owner | undefined): Promise<string> {
  await mkdir(path.dirname(link), { recursive: true });
  const existing = await findCluster(link);
  // One that points nowhere is of a first start that was killed.
  if (existing === undefined) await rm(link, { force: true });
  const wanted = existing ?? path.join(await realpath(path.dirname(link)), path.basename(link));
  if (owner === undefined || (await canEnter(path.dirname(wanted), owner))) return wanted;
  if (existing !== undefined) {
    throw new Error(
      `PostgreSQL runs as the user ${userName}, who cannot enter ${path.dirname(existing)}. ` +
        'Let everybody pass ("chmod o+x") the folders above it, or move the data directory to where they can.',
    );
  }
  // A name of its own: a data directory that was removed and made again must not find the old one's cluster.
  const target = path.join(reachable, crypto.randomUUID(), path.basename(link));
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  await symlink(target, link);
  return target;
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
