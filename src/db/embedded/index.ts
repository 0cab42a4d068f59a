import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findBinaries } from './binaries.ts';
import { findOwner, giveTo, type Owner, reachableBinaries, reachableCluster } from './owner.ts';
import { stopStale } from './stale.ts';

/** A PostgreSQL server of our own, listening on loopback. */
export interface EmbeddedPostgres {
  port: number;
  password: string;
  /** Process id of the postmaster. */
  pid: number;
  /** Settles when PostgreSQL ends, whoever ended it. */
  exited: Promise<void>;
  /** URL of a database of this server, as its superuser. */
  url(database?: string): string;
  /** Stops it: sessions are ended, data is flushed (a "fast" shutdown). Safe to call twice. */
  stop(): Promise<void>;
}

const superuser = 'postgres';
const readyLine = 'database system is ready to accept connections';

/**
 * Starts the embedded PostgreSQL on a cluster below `dataDir`, which is made on the first call. A server
 * that a killed process left behind on the same cluster is stopped first. The caller holds the lock on
 * `dataDir`: two callers must not run this at once.
 *
 * @param settings extra `postgresql.conf` settings, e.g. `{ fsync: 'off' }` in tests.
 * @throws with PostgreSQL's own words when it does not come up.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  settings: Record<string, string> = {},
): Promise<EmbeddedPostgres> {
  const owner = await findOwner();
  const binaries = await reachableBinaries(await findBinaries(), owner);
  const cluster = await reachableCluster(path.resolve(dataDir, 'postgresql'), owner);
  const password = await initialize(binaries.initdb, cluster, owner);
  await stopStale(cluster);

  const port = await freePort();
  const options = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', cluster, '-p', String(port), ...options], {
    ...owner,
    cwd: '/',
    // Its own process group: Ctrl-C in a terminal must reach us, who drain, and not PostgreSQL.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit').then(() => {});
  await ready(child.stderr, exited);

  return {
    port,
    password,
    pid: child.pid ?? 0,
    exited,
    url: (database = 'postgres') =>
      `postgresql://${superuser}:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    async stop() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** Makes the cluster unless it is there. Returns the superuser's password. */
async function initialize(initdb: string, cluster: string, owner: Owner | undefined): Promise<string> {
  const passwordFile = `${cluster}.password`;
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
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner !== undefined) await chown(passwordFile, owner.uid, owner.gid);
  const flags = [
    '-U',
    superuser,
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--no-locale',
  ];
  const child = spawn(initdb, ['-D', partial, ...flags], {
    ...owner,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed (${code}): ${complaint.trim()}`);
  await rename(partial, cluster);
  return password;
}

async function ready(stderr: NodeJS.ReadableStream, exited: Promise<void>): Promise<void> {
  const lines: string[] = [];
  const up = new Promise<void>((resolve) => {
    createInterface({ input: stderr }).on('line', (line) => {
      if (line.includes(readyLine)) resolve();
      if (lines.length < 50) lines.push(line);
    });
  });
  const gone = exited.then(() => {
    throw new Error(`PostgreSQL did not start:\n${lines.join('\n')}`);
  });
  await Promise.race([up, gone]);
  gone.catch(() => {});
}

/** A port nobody listens on. Another process may take it in between; then PostgreSQL says so and start-up fails. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
