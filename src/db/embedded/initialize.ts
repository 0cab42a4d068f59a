import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { giveTo, type Owner } from './owner.ts';

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
  if (initialized) return (await readFile(passwordFile, 'utf8')).trim();

  // Made under another name and renamed: a killed initdb leaves nothing that looks like a cluster.
  const partial = `${cluster}.partial`;
  await rm(partial, { recursive: true, force: true });
  await giveTo(partial, owner);
  const password = crypto.randomUUID();
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner !== undefined) await chown(passwordFile, owner.uid, owner.gid);
  await runInitdb(
    initdb,
    ['-D', partial, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    owner,
  );
  await rename(partial, cluster);
  return password;
}

async function runInitdb(initdb: string, flags: string[], owner: Owner | undefined): Promise<void> {
  const child = spawn(initdb, [...flags, '--encoding=UTF8', '--no-locale'], {
    ...owner,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed (${code}): ${complaint.trim()}`);
}
