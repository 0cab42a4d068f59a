import { rm } from 'node:fs/promises';
import { startEmbeddedPostgres } from '../../src/db/index.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { databaseAt, type TestDatabase } from './database.ts';
import { temporaryFolder } from './server.ts';

/** A PostgreSQL server of a test's own. */
export interface RestartablePostgres extends AsyncDisposable {
  database: TestDatabase;
  /** Ends it in this way, and starts it again on its data and port. */
  restart(how: 'stop' | 'kill'): Promise<void>;
}

export async function restartablePostgres(): Promise<RestartablePostgres> {
  const folder = await temporaryFolder();
  const port = String(await freePort());
  // What counts is the port that is said last.
  const start = () => startEmbeddedPostgres(folder, { fsync: 'off', port });
  let server = await start();
  const url = new URL(server.url());
  url.port = port;
  const database = databaseAt(url.href);
  return {
    database,
    async restart(how) {
      if (how === 'stop') {
        await server.stop();
      } else {
        process.kill(server.pid, 'SIGKILL');
        await server.lost.catch(() => {});
      }
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
