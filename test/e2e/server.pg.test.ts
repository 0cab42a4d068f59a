/** `tidemark serve` as a whole, with its own PostgreSQL: start, stop, kill, and start again. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { call, connect } from '../support/http.ts';
import {
  inherited,
  spawnServer,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from '../support/server.ts';
import { until } from '../support/until.ts';

interface Execution {
  id: string;
  status: string;
  record_count: number;
}

const run = promisify(execFile);
const main = path.join(import.meta.dirname, '../../bin/tidemark.mjs');

let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  [source, target] = await Promise.all([createDatabase(), createDatabase()]);
  await source.query('create table things as select n, md5(n::text) from generate_series(1, 200000) n');
});
afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

async function start(folder: string, environment: Record<string, string> = {}): Promise<TestServer> {
  const server = await startTestServer(environment, folder);
  onTestFinished(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.kill();
  });
  return server;
}

/** Pid of the embedded PostgreSQL of a data directory. */
async function postmasterOf(folder: string): Promise<number> {
  return Number((await readFile(path.join(folder, 'postgresql/postmaster.pid'), 'utf8')).split('\n')[0]);
}

const isAlive = (pid: number) =>
  readlink(`/proc/${pid}/exe`).then(
    () => true,
    () => false,
  );

async function createBulkSync(server: TestServer): Promise<string> {
  const [from, to] = [await connect(server, 'from', source.url), await connect(server, 'to', target.url)];
  const sync = await call<{ id: string }>(server, 'POST', '/api/bulk/syncs', {
    name: 'Things',
    mode: 'replicate',
    default_schedule: { frequency: 'manual' },
    source_connection_id: from.id,
    destination_connection_id: to.id,
    // Each test's server is another one to the table of the test before it.
    destination_configuration: { schema: 'copy', overwrite: true },
  });
  return sync.id;
}

const execution = (server: TestServer, syncId: string, id: string) =>
  call<Execution>(server, 'GET', `/api/bulk/syncs/${syncId}/executions/${id}`);

test('first start, second server, SIGTERM in the middle of an execution, and the next start goes on', async () => {
  const folder = await temporaryFolder();
  const first = await start(folder);
  expect(first.output()).toContain(first.apiKey);
  for (const file of ['api-key', 'encryption-key']) {
    expect((await stat(path.join(folder, file))).mode & 0o777, file).toBe(0o600);
  }
  for (const probe of ['healthz', 'readyz']) expect((await fetch(`${first.url}/${probe}`)).status).toBe(200);
  // Its own database is no connection's, even for who knows the password.
  const { databaseUrl } = JSON.parse(await readFile(path.join(folder, 'server.json'), 'utf8'));
  await expect(connect(first, 'own', databaseUrl)).rejects.toThrow(
    /configuration\.hostname: 127\.0\.0\.1 is/,
  );

  const second = spawnServer({ TIDEMARK_DATA_DIR: folder });
  await expect(second.ready).rejects.toThrow(`process ${first.child.pid}`);
  expect(second.child.exitCode).toBe(1);

  const syncId = await createBulkSync(first);
  // The load waits for this lock, so that the stop comes in the middle of it.
  await target.query('create schema copy; create table copy.things (n int)');
  const { release } = await target.hold('lock table copy.things');
  const { id } = await call<Execution>(first, 'POST', `/api/bulk/syncs/${syncId}/executions`, {});
  await until(async () => (await execution(first, syncId, id)).status === 'running');
  // The API answers while it runs.
  for (let n = 0; n < 20; n++) await call(first, 'GET', '/api/me');

  // It does not wait for the load, which waits for the lock.
  expect(await first.stop()).toBe(0);
  await release();

  const next = await start(folder);
  expect(next.output()).not.toContain(next.apiKey);
  const done = await until(async () => {
    const now = await execution(next, syncId, id);
    return now.status === 'running' ? undefined : now;
  });
  expect(done).toMatchObject({ status: 'completed', record_count: 200_000 });
  const events = await call<{ type: string }[]>(next, 'GET', '/api/events');
  expect(events.map(({ type }) => type)).toEqual(['bulk_sync.completed', 'bulk_sync.running']);
  expect(await next.stop()).toBe(0);
});

test('after kill -9 the PostgreSQL that was left behind is stopped, and everything is still there', async () => {
  const folder = await temporaryFolder();
  const killed = await start(folder);
  const hook = { endpoint: 'https://example.com', secret: 's' };
  const { id } = await call<{ id: string }>(killed, 'POST', '/api/webhooks', hook);
  const orphan = await postmasterOf(folder);
  await killed.kill();
  expect(await isAlive(orphan)).toBe(true);

  const next = await start(folder);
  expect(await isAlive(orphan)).toBe(false);
  expect(await call(next, 'GET', `/api/webhooks/${id}`)).toMatchObject({ id });
  await next.stop();
});

test('a copy of a data directory never touches the original, also where only root can enter', async () => {
  const closed = await temporaryFolder();
  await chmod(closed, 0o700);
  const [folder, copy] = [path.join(closed, 'data'), path.join(closed, 'copy')];
  const original = await start(folder);
  const postmaster = await postmasterOf(folder);
  const hook = { endpoint: 'https://example.com', secret: 's' };
  const { id } = await call<{ id: string }>(original, 'POST', '/api/webhooks', hook);
  expect((await lstat(path.join(folder, 'postgresql'))).isDirectory()).toBe(true);
  await run('cp', ['-a', folder, copy]);

  // What the original announced is no word about the copy.
  const keys = run(process.execPath, [main, 'keys', 'list'], {
    env: { ...inherited(), TIDEMARK_DATA_DIR: copy },
  });
  await expect(keys).rejects.toThrow(`runs on ${copy}`);
  const beside = await start(copy);
  expect(beside.output()).toContain('data_directory.copied_while_running');
  expect(await postmasterOf(copy)).not.toBe(postmaster);
  expect(await call(original, 'GET', `/api/webhooks/${id}`)).toMatchObject({ id });
  expect(await isAlive(postmaster)).toBe(true);
  await beside.stop();

  // Nor does it once nobody holds the lock of what was left behind.
  await original.kill();
  await rm(copy, { recursive: true });
  await run('cp', ['-a', folder, copy]);
  await (await start(copy)).stop();
  expect(await isAlive(postmaster)).toBe(true);

  // Part of a copy, and what earlier versions made.
  const moved = path.join(closed, 'moved');
  for (const end of ['', '.password']) {
    await rename(path.join(copy, `postgresql${end}`), `${moved}${end}`);
  }
  const refused = async () => {
    const { ready } = spawnServer({ TIDEMARK_DATA_DIR: copy });
    return ready.then(
      () => 'started',
      (error: Error) => error.message,
    );
  };
  expect(await refused()).toContain('encryption-key: is there, and the database that it belongs to');
  await symlink(moved, path.join(copy, 'postgresql'));
  const [, remedy = ''] = /^ {2}(rm .*)$/m.exec(await refused()) ?? [];
  await run('sh', ['-c', remedy]);
  const again = await start(copy);
  expect(await call(again, 'GET', `/api/webhooks/${id}`)).toMatchObject({ id });
  await again.stop();

  const next = await start(folder);
  expect(await call(next, 'GET', `/api/webhooks/${id}`)).toMatchObject({ id });
  await next.stop();
});

test('when its PostgreSQL is killed the server says so and ends; the next start recovers', async () => {
  const folder = await temporaryFolder();
  const server = await start(folder);
  process.kill(await postmasterOf(folder), 'SIGKILL');
  const [code] = await once(server.child, 'exit');
  expect(code).toBe(1);
  expect(server.output()).toMatch(/PostgreSQL/);
  const next = await start(folder);
  expect((await fetch(`${next.url}/readyz`)).status).toBe(200);
  await next.stop();
});

test('a worker started by hand on the same data directory does the work of a server without workers', async () => {
  const folder = await temporaryFolder();
  const server = await start(folder, { TIDEMARK_WORKERS: '0' });
  const syncId = await createBulkSync(server);
  const { id } = await call<Execution>(server, 'POST', `/api/bulk/syncs/${syncId}/executions`, {});
  const worker = spawn(process.execPath, [main, 'worker'], {
    env: {
      ...process.env,
      TIDEMARK_DATA_DIR: folder,
      TIDEMARK_LOG_LEVEL: 'warn',
      TIDEMARK_EGRESS_ALLOW: 'loopback',
      DATABASE_URL: '',
    },
    stdio: 'inherit',
  });
  onTestFinished(() => void worker.kill('SIGKILL'));
  await until(async () => (await execution(server, syncId, id)).status === 'completed');
  worker.kill('SIGTERM');
  expect((await once(worker, 'exit'))[0]).toBe(0);
  await server.stop();
});

test('a wrong setting is named before anything starts', async () => {
  const folder = await temporaryFolder();
  const wrong = spawnServer({ TIDEMARK_DATA_DIR: folder, TIDEMARK_PORT: 'eighty' });
  await expect(wrong.ready).rejects.toThrow(/TIDEMARK_PORT "eighty": not a whole number/);
});
