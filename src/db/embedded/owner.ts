import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
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
/** Used only as root, and only for the programs of a checkout that the user cannot reach. */
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

/**
 * How `owner` gets at a folder: by its path, or, where the folders above are closed to it, as the working directory that
 * it is started in. Opening those folders to everybody would be the alternative; it is not ours to do.
 */
export interface Access {
  cwd: string;
  path: string;
  /** Whether files beside the folder are in reach, too. */
  isOpen: boolean;
}

/** @throws where such a folder cannot be had at all. */
export async function accessTo(folder: string, owner: Owner | undefined): Promise<Access> {
  if (owner === undefined || (await canEnter(path.dirname(folder), owner))) {
    return { cwd: '/', path: folder, isOpen: true };
  }
  if (process.platform === 'linux') return { cwd: folder, path: '/proc/self/cwd', isOpen: false };
  throw new Error(
    `PostgreSQL runs as the user ${userName}, who cannot enter ${path.dirname(folder)}. ` +
      'Let everybody pass ("chmod o+x") the folders above it, or move the data directory to where they can.',
  );
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
