import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate, startEmbeddedPostgres } from '../../src/db/index.ts';
import { openMariadbDoor } from './mariadb-door.ts';

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
  // Crash safety of the test's own disk is not what is tested.
  const server = await startEmbeddedPostgres(folder, { fsync: 'off', max_connections: '300' });
  const template = 'tidemark_template';
  const client = new pg.Client(server.url());
  await client.connect();
  await client.query(`create database ${template}`);
  await client.end();
  await migrate(server.url(template));
  project.provide('postgres', { url: server.url(), template });
  const door = await openMariadbDoor();
  project.provide('mariadb', { door: door.url });
  return async () => {
    await door.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
