import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate, startEmbeddedPostgres } from '../../src/db/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A real PostgreSQL server for this run; `template` is a migrated metadata database to copy. */
    postgres: { url: string; template: string };
  }
}

/** One PostgreSQL per run, and a migrated template that every test file copies. */
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
  return async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
