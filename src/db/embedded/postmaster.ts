import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from '../../lib/free-port.ts';
import { accessTo, type Owner } from './owner.ts';

const readyLine = 'database system is ready to accept connections';
const portTaken = /could not bind .* address|could not create any TCP\/IP sockets/;

export interface Postmaster {
  port: number;
  pid: number;
  lost: Promise<never>;
  stop(): Promise<void>;
}

/** Starts `postgres` on a free port. @throws with its own words when it does not come up. */
export async function launch(
  postgres: string,
  cluster: string,
  owner: Owner | undefined,
  settings: Record<string, string>,
): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launchOn(await freePort(), postgres, cluster, owner, settings);
    } catch (error) {
      // Somebody took the port between our look and PostgreSQL's.
      if (attempt === 5 || !(error instanceof Error && portTaken.test(error.message))) throw error;
    }
  }
}

async function launchOn(
  port: number,
  postgres: string,
  cluster: string,
  owner: Owner | undefined,
  settings: Record<string, string>,
): Promise<Postmaster> {
  const options = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { cwd, path } = await accessTo(cluster, owner);
  const child = spawn(postgres, ['-D', path, '-p', String(port), ...options], {
    ...owner,
    cwd,
    // Its own process group: Ctrl-C in a terminal must reach us, who drain, and not PostgreSQL.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words: string[] = [];
  const up = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.includes(readyLine)) up.resolve();
    words.push(line);
    if (words.length > 20) words.shift();
  });

  let stopping = false;
  const ended = once(child, 'close');
  const lost = ended.then(([code, signal]) => {
    if (stopping) return new Promise<never>(() => {});
    throw new Error(`The embedded PostgreSQL ended (${signal ?? code}):\n${words.join('\n')}`);
  });
  // Whoever cares listens to `lost`; nobody may.
  lost.catch(() => {});
  await Promise.race([up.promise, lost]);

  return {
    port,
    pid: child.pid ?? 0,
    lost,
    async stop() {
      stopping = true;
      child.kill('SIGINT');
      await ended;
    },
  };
}
