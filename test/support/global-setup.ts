import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { type EmbeddedPostgres, migrate, startEmbeddedPostgres } from '../../src/db/index.ts';
import { openMariadbDoor } from './mariadb-door.ts';
import { tether } from './tether.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real PostgreSQL server for this run; `template` is a migrated metadata database to copy. */
    postgres: { url: string; template: string };
    /** Where to ask for a real MariaDB server: see mariadb.ts. */
    mariadb: { door: string };
  }
}

/** One PostgreSQL per run, and a migrated template that every test file copies; one MariaDB, for those who ask. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-test-'));
  await chmod(folder, 0o755);
  // Every process that a test starts loads the same code.
  process.env.NODE_COMPILE_CACHE = path.join(folder, 'compiled');
  const server = await startServer(folder);
  const template = 'tidemark_template';
  const client = new pg.Client(server.url());
  await client.connect();
  await client.query(`drop database if exists ${template}`);
  await client.query(`create database ${template}`);
  await client.end();
  await migrate(server.url(template));
  project.provide('postgres', { url: server.url(), template });
  const door = await openMariadbDoor();
  project.provide('mariadb', { door: door.url });
  return async () => {
    await door.close();
    await server.stop();
    // Processes that are ending may still write what they compiled.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
}

/** A proof of the password takes a client 4096 rounds. Tests open thousands of sessions. */
async function quickenLogins({ url, password }: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client(url());
  await client.connect();
  await client.query(
    `set scram_iterations = 1; alter role current_user password ${client.escapeLiteral(password)}`,
  );
  await client.end();
}

/** Any other server by TIDEMARK_TEST_POSTGRES, the URL of a superuser: what holds for one version need not for others. */
async function startServer(folder: string): Promise<Pick<EmbeddedPostgres, 'url' | 'stop'>> {
  const other = process.env.TIDEMARK_TEST_POSTGRES;
  // Crash safety of the test's own disk is not what is tested.
  if (!other) {
    const server = await startEmbeddedPostgres(folder, {
      fsync: 'off',
      full_page_writes: 'off',
      synchronous_commit: 'off',
      max_connections: '300',
    });
    const letGo = tether(server.pid);
    await quickenLogins(server);
    return { url: server.url, stop: () => server.stop().finally(letGo) };
  }
  const url = (database = 'postgres') => Object.assign(new URL(other), { pathname: `/${database}` }).href;
  return { url, stop: async () => {} };
}
