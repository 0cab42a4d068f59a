import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, inject, onTestFinished, test } from 'vitest';
import { freePort } from '../../src/lib/free-port.ts';
import { untilSays } from './ready.ts';
import { tether } from './tether.ts';

/** Debian keeps servers out of the PATH of users who are not root. */
const program = [...(process.env.PATH ?? '').split(':'), '/usr/sbin']
  .map((folder) => path.join(folder, 'pgbouncer'))
  .find((file) => existsSync(file));

/**
 * `describe` for what needs a real pgbouncer. Where it is not installed it is skipped with a warning, except where CI or
 * TIDEMARK_TEST_PGBOUNCER=required says that it has to be there.
 */
export function describePgbouncer(name: string, body: () => void): void {
  if (program !== undefined) {
    describe(name, body);
  } else if (process.env.CI === 'true' || process.env.TIDEMARK_TEST_PGBOUNCER === 'required') {
    test(`${name}: pgbouncer is installed`, () => {
      throw new Error('pgbouncer is required here: apt-get install pgbouncer');
    });
  } else {
    console.warn(`SKIPPED, for want of pgbouncer (apt-get install pgbouncer): ${name}`);
    describe.skip(name, body);
  }
}

/**
 * Starts a pgbouncer in front of the run's server, in its default configuration but for the mode. It ends with the test.
 *
 * @returns the port to reach any database of the server by.
 */
export async function startPgbouncer(mode: 'session' | 'transaction', poolSize = 20): Promise<number> {
  const server = new URL(inject('postgres').url);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-pgbouncer-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const users = path.join(folder, 'users');
  await writeFile(users, `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  const file = path.join(folder, 'pgbouncer.ini');
  await writeFile(
    file,
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = ${poolSize}
`,
  );
  // It refuses to be root.
  const user = process.getuid?.() === 0 ? ['--user=nobody'] : [];
  const child = spawn(program ?? '', [...user, file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const letGo = child.pid === undefined ? () => {} : tether(child.pid);
  onTestFinished(async () => {
    letGo();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await untilSays(child.stderr, /process up/, 'pgbouncer');
  return port;
}
