import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { accessTo, giveTo, type Owner } from './owner.ts';

/** The superuser's password, readable by whom PostgreSQL runs as. */
export const passwordFileOf = (cluster: string) => `${cluster}.password`;

/** Makes the cluster unless it is there. Returns the superuser's password. */
export async function initializeCluster(
  initdb: string,
  cluster: string,
  owner: Owner | undefined,
): Promise<string> {
  const passwordFile = passwordFileOf(cluster);
  const initialized = await access(cluster).then(
    () => true,
    () => false,
  );
  if (initialized) {
    await requireOwner(cluster, owner);
    return readPassword(passwordFile);
  }

  // Made under another name and renamed: a killed initdb leaves nothing that looks like a cluster.
  const partial = `${cluster}.partial`;
  await rm(partial, { recursive: true, force: true });
  await giveTo(partial, owner);
  const password = crypto.randomUUID();
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner !== undefined) await chown(passwordFile, owner.uid, owner.gid);
  await runInitdb(initdb, partial, passwordFile, owner);
  await rename(partial, cluster);
  return password;
}

async function runInitdb(initdb: string, folder: string, passwordFile: string, owner: Owner | undefined) {
  const { cwd, path, isOpen } = await accessTo(folder, owner);
  await using password = await open(passwordFile);
  const flags = [
    ...['-D', path, '-U', 'postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale'],
    // Its path may lead through folders that are closed to the owner; the open file does not.
    `--pwfile=${isOpen ? passwordFile : '/proc/self/fd/3'}`,
  ];
  const child = spawn(initdb, flags, { ...owner, cwd, stdio: ['ignore', 'ignore', 'pipe', password.fd] });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed (${code}): ${complaint.trim()}`);
}

/** PostgreSQL's own complaint does not say whose it has to be. */
async function requireOwner(cluster: string, owner: Owner | undefined): Promise<void> {
  const { uid } = await stat(cluster);
  if (owner === undefined || uid === owner.uid) return;
  throw new Error(
    `${cluster} belongs to user ${uid}, and PostgreSQL runs as user ${owner.uid}, since it does not run as root. ` +
      `Where it was copied without its owners: chown -R ${owner.uid}:${owner.gid} '${cluster}' '${passwordFileOf(cluster)}'`,
  );
}

async function readPassword(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new Error(
      `${file} is missing: it belongs to the database beside it. Put the file of your backup back.`,
      {
        cause,
      },
    );
  });
  return text.trim();
}
