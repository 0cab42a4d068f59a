import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/lib/free-port.ts';
import { untilSays } from './ready.ts';
import { tether } from './tether.ts';

export interface MariadbServer {
  port: number;
  pid: number | undefined;
  /** Ends it in this way, and starts it again on its data and port. */
  restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** Every right on the server, with the password `mariadbPassword`. */
export const mariadbAccount = 'tidemark';
export const mariadbPassword = 'secret';

/** Debian keeps servers out of the PATH of users who are not root. */
const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin'];
const find = (name: string) =>
  folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));

export const mariadbIsInstalled = find('mariadbd') !== undefined && find('mariadb-install-db') !== undefined;

/** Starts a MariaDB with a data folder of its own, on loopback. The machine's own service is left alone. */
export async function startMariadb(options: Record<string, string> = {}): Promise<MariadbServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-mariadb-'));
  const data = path.join(folder, 'data');
  const user = `--user=${os.userInfo().username}`;
  await promisify(execFile)(find('mariadb-install-db') ?? '', [
    '--no-defaults',
    `--datadir=${data}`,
    user,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
  ]);
  const init = path.join(folder, 'init.sql');
  // A statement per line.
  await writeFile(
    init,
    `create user if not exists ${mariadbAccount}@'%' identified by '${mariadbPassword}';
grant all on *.* to ${mariadbAccount}@'%' with grant option;
`,
  );
  const port = await freePort();
  const settings = {
    datadir: data,
    // A server that starts removes the temporary tables of all others that share the folder.
    tmpdir: folder,
    socket: path.join(folder, 'socket'),
    'bind-address': '127.0.0.1',
    port: String(port),
    'init-file': init,
    // Crash safety of the test's own disk is not what is tested.
    'innodb-flush-log-at-trx-commit': '0',
    'innodb-doublewrite': '0',
    'performance-schema': '0',
    'max-connections': '300',
    'character-set-server': 'utf8mb4',
    ...options,
  };
  const start = async () => {
    const child = spawn(
      find('mariadbd') ?? '',
      [
        '--no-defaults',
        user,
        '--skip-name-resolve',
        ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    if (child.pid !== undefined) child.once('exit', tether(child.pid));
    await untilSays(child.stderr, /ready for connections/, 'MariaDB');
    return child;
  };
  const end = async (running: ChildProcess, signal: NodeJS.Signals) => {
    const ended = once(running, 'exit');
    running.kill(signal);
    await ended;
  };
  let child = await start();
  return {
    port,
    get pid() {
      return child.pid;
    },
    async restart(signal) {
      await end(child, signal);
      child = await start();
    },
    async stop() {
      await end(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
