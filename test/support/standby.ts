import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpath, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findBinaries } from '../../src/db/embedded/binaries.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/index.ts';
import { findOwner, reachableBinaries } from '../../src/db/embedded/owner.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { databaseAt, type TestDatabase } from './database.ts';
import { untilSays } from './ready.ts';
import { temporaryFolder } from './server.ts';
import { tether } from './tether.ts';
import { until } from './until.ts';

/** A PostgreSQL server and a hot standby of it, which cancels what is in the way of replaying at once. */
export interface StandbyPair extends AsyncDisposable {
  primary: TestDatabase;
  standby: TestDatabase;
  /** Until the standby has all that the primary has written. */
  replayed(): Promise<void>;
  promote(): Promise<void>;
}

export async function standbyPair(): Promise<StandbyPair> {
  const [folder, copy] = [await temporaryFolder(), await temporaryFolder()];
  const start = () => startEmbeddedPostgres(folder, { fsync: 'off' });
  // There is no pg_basebackup among the binaries: a copy of what was shut down is as good.
  await (await start()).stop();
  const data = path.join(copy, 'postgresql');
  await promisify(execFile)('cp', ['-a', await realpath(path.join(folder, 'postgresql')), data]);
  await writeFile(path.join(data, 'standby.signal'), '', { mode: 0o644 });

  const server = await start();
  const letGo = tether(server.pid);
  const port = await freePort();
  const conninfo = `host=127.0.0.1 port=${server.port} user=postgres password=${server.password}`;
  const standby = await launchStandby(data, port, conninfo);
  const url = new URL(server.url());
  url.port = String(port);
  const [first, second] = [databaseAt(server.url()), databaseAt(url.href)];
  return {
    primary: first,
    standby: second,
    async replayed() {
      const [row] = await first.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
      await until(async () => {
        const [at] = await second.query<{ there: boolean }>(
          'select pg_last_wal_replay_lsn() >= $1::pg_lsn as there',
          [row?.lsn],
        );
        return at?.there;
      });
    },
    promote: async () => void (await second.query('select pg_promote()')),
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
      await standby.stop();
      await server.stop();
      letGo();
      for (const one of [folder, copy]) await rm(one, { recursive: true, force: true });
    },
  };
}

async function launchStandby(data: string, port: number, conninfo: string) {
  const owner = await findOwner();
  const { postgres } = await reachableBinaries(await findBinaries(), owner);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Not fewer than the primary has.
    max_connections: '200',
    fsync: 'off',
    primary_conninfo: conninfo,
    max_standby_streaming_delay: '0',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(postgres, ['-D', data, '-p', String(port), ...options], {
    ...owner,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const letGo = child.pid === undefined ? () => {} : tether(child.pid);
  await untilSays(child.stderr, /ready to accept read-only connections/, 'the standby');
  return {
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
      letGo();
    },
  };
}
