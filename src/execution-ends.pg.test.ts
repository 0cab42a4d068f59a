/** What a user is told of executions that wait, fail and heal: API objects, connections, events and the log. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../test/support/database.ts';
import { postgresqlConfiguration } from '../test/support/http.ts';
import { temporaryFolder } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { readConfig } from './config.ts';
import { followExecution } from './connections/index.ts';
import { watchQueue } from './executions/index.ts';
import { startWorker } from './worker.ts';

interface Line {
  event: string;
  level: number;
  [member: string]: unknown;
}
interface Connection {
  status: string;
  status_error?: string;
}

let app: TestApp;
let source: TestDatabase;
let target: TestDatabase;
let worker: { stop(): Promise<void> } | undefined;
const lines: Line[] = [];
const log = pino(
  { messageKey: 'event' },
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  }),
);
const role = `heals_${process.pid}`;
const ids = { from: '', to: '', hook: '', bulk: '' };

async function call<Data>(method: 'GET' | 'POST', url: string, body?: object): Promise<Data> {
  const answer = await app.request(app.first.apiKey, method, url, body);
  if (answer.status !== 200) throw new Error(`${method} ${url}: ${JSON.stringify(answer.body)}`);
  return (answer.body as { data: Data }).data;
}
const connection = (id: string) => call<Connection>('GET', `/api/connections/${id}`);
/** It follows an end, and does not hold it up. */
const becomes = (id: string, status: string) =>
  until(async () => {
    const now = await connection(id);
    return now.status === status ? now : undefined;
  });
async function ended(path: string) {
  const { id } = await call<{ id: string }>('POST', `${path}/executions`, {});
  const execution = await until(async () => {
    const now = await call<{ status: string; completed_at: string | null }>(
      'GET',
      `${path}/executions/${id}`,
    );
    return now.completed_at === null ? undefined : now;
  });
  const line = await until(() =>
    lines.find((one) => one.execution_id === id && one.event === 'execution.finished'),
  );
  return { id, line, ...execution };
}

beforeAll(async () => {
  [app, source, target] = await Promise.all([startTestApp(), createDatabase(), createDatabase()]);
  const url = new URL(target.url);
  const database = url.pathname.slice(1);
  await target.query(
    `create role ${role} login password 'right'; grant all on database ${database} to ${role}`,
  );
  await source.query(`
    create table good as select n, 'x' || n as name from generate_series(1, 5) n;
    create table bad (n int, too_much text);
    insert into bad values (1, 'x')`);
  url.username = role;
  url.password = 'right';
  const create = async (name: string, type: string, configuration: object, validate = true) =>
    (await call<{ id: string }>('POST', '/api/connections', { name, type, configuration, validate })).id;
  ids.from = await create('from', 'postgresql', postgresqlConfiguration(source.url));
  ids.to = await create('to', 'postgresql', postgresqlConfiguration(url.href));
  ids.hook = await create('hook', 'webhook', { url: 'http://127.0.0.1:1/records' }, false);
  ids.bulk = (
    await call<{ id: string }>('POST', '/api/bulk/syncs', {
      name: 'Copy',
      mode: 'replicate',
      default_schedule: { frequency: 'manual' },
      source_connection_id: ids.from,
      destination_connection_id: ids.to,
      destination_configuration: { schema: 'copy' },
    })
  ).id;
});
afterAll(async () => {
  await worker?.stop();
  await app[Symbol.asyncDispose]();
  await target.query(`drop owned by ${role} cascade; drop role ${role}`);
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

test('an execution without a worker says that it waits for one', async () => {
  const ready = (query = '') => app.request(null, 'GET', `/readyz${query}`);
  expect((await ready()).status).toBe(200);
  expect(await ready('?worker')).toMatchObject({
    status: 503,
    body: { message: expect.stringContaining('No worker') },
  });
  const path = `/api/bulk/syncs/${ids.bulk}/executions`;
  const { id } = await call<{ id: string }>('POST', path, {});
  expect(await call('GET', `${path}/${id}`)).toMatchObject({
    status: 'scheduled',
    status_message: expect.stringContaining('Waiting for a worker: none is connected'),
  });
  const all = await call<object[]>('GET', '/api/bulk/syncs/status');
  expect(all).toMatchObject([{ sync_id: ids.bulk, status: 'scheduled' }]);
  // As if it had been started while there was a worker, some time ago.
  await app.database.query(
    `update tidemark.executions set status_message = null, created_at = now() - interval '1 min'`,
  );
  const queue = watchQueue({ db: app.database.db, log }, 20);
  const line = await until(() => lines.find(({ event }) => event === 'executions.waiting'));
  expect(line).toMatchObject({ level: 40, waiting: 1, reason: expect.stringContaining('none is connected') });
  await queue.stop();
  expect(lines.filter(({ event }) => event === 'executions.waiting').length).toBe(1);
  expect(await call('GET', `${path}/${id}`)).toMatchObject({
    status_message: expect.stringContaining('none is connected'),
  });
  const console = await call<{ logs: object[] }>('GET', `${path}/${id}/consolelog`);
  expect(JSON.stringify(console)).toContain('none is connected');

  worker = await startWorker(
    readConfig({
      TIDEMARK_DATA_DIR: await temporaryFolder(),
      DATABASE_URL: app.database.url,
      TIDEMARK_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
      TIDEMARK_PUBLIC_URL: 'http://tidemark.test',
    }),
    app.database.url,
    log,
    crypto.randomUUID(),
  );
  expect((await ready('?worker')).status).toBe(200);
  const done = await until(async () => {
    const now = await call<{ status: string }>('GET', `${path}/${id}`);
    return now.status === 'completed' ? now : undefined;
  });
  expect(done).toMatchObject({ status_message: '' });
  const finished = await until(() => lines.find((one) => one.event === 'execution.finished'));
  expect(finished).toMatchObject({
    level: 30,
    sync_id: ids.bulk,
    name: 'Copy',
    kind: 'bulk',
    status: 'completed',
  });
});

test('a connection is ill after an execution that failed by its fault, and heals with one that succeeds', async () => {
  await target.query(`alter role ${role} password 'changed'`);
  const failed = await ended(`/api/bulk/syncs/${ids.bulk}`);
  expect(failed).toMatchObject({ status: 'failed', status_message: expect.stringContaining('password') });
  expect(failed.line).toMatchObject({
    level: 50,
    sync_id: ids.bulk,
    name: 'Copy',
    kind: 'bulk',
    status: 'failed',
    reason: expect.stringContaining('password authentication failed'),
  });
  expect(await becomes(ids.to, 'error')).toMatchObject({
    status_error: expect.stringContaining('password authentication failed'),
  });
  expect(await connection(ids.from)).toMatchObject({ status: 'healthy' });
  const [event] = await call<{ type: string; event: object }[]>('GET', '/api/events?type=bulk_sync.failed');
  expect(event?.event).toMatchObject({ error: expect.stringContaining('password'), sync_id: ids.bulk });

  await target.query(`alter role ${role} password 'right'`);
  expect(await ended(`/api/bulk/syncs/${ids.bulk}`)).toMatchObject({ status: 'completed' });
  expect(await becomes(ids.to, 'healthy')).not.toHaveProperty('status_error');
});

test('a table that fails is in the event with its reason, and leaves the connections healthy', async () => {
  await target.query('create view copy.blocked as select * from copy.bad');
  await source.query('alter table bad alter too_much type int using 1');
  const partly = await ended(`/api/bulk/syncs/${ids.bulk}`);
  expect(partly).toMatchObject({ status: 'errors', line: { level: 40, status: 'errors' } });
  expect(partly.line.reason).toMatch(/^public\.bad: /);
  const url = '/api/events?type=bulk_sync.completed_with_error';
  const [event] = await call<{ event: object }[]>('GET', url);
  expect(event?.event).toMatchObject({
    error: partly.line.reason,
    failed_schemas: [{ schema: 'public.bad', error: expect.any(String) }],
    record_count: 5,
    error_count: 1,
  });
  await followExecution(app.deps, app.first.organizationId, [ids.to], false);
  expect(await connection(ids.to)).toMatchObject({ status: 'healthy' });
});

test('an endpoint that nobody answers at is ill after an execution failed, though its test sends nothing', async () => {
  const { organizationId } = app.first;
  await followExecution(app.deps, organizationId, [ids.hook, ids.from, crypto.randomUUID()], false);
  expect(await connection(ids.hook)).toMatchObject({
    status: 'error',
    status_error: expect.stringMatching(/./),
  });
  expect(await connection(ids.from)).toMatchObject({ status: 'healthy' });
  await followExecution(app.deps, organizationId, [ids.hook], true);
  expect(await connection(ids.hook)).toMatchObject({ status: 'healthy' });
});

test('what was tried says nothing of a connection that was changed meanwhile, or when it was given up', async () => {
  const { organizationId } = app.first;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const receiver = createServer((_request, response) => {
    ask();
    receiver.once('change', () => response.writeHead(503).end());
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  const { port } = receiver.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const body = { name: 'slow hook', type: 'webhook', configuration: { url }, validate: false };
  const { id } = await call<{ id: string }>('POST', '/api/connections', body);
  const change = () =>
    app.database.query('update tidemark.connections set updated_at = clock_timestamp() where id = $1', [id]);

  const following = followExecution(app.deps, organizationId, [id], false);
  await asked;
  await change();
  receiver.emit('change');
  await following;
  expect(await connection(id)).toMatchObject({ status: 'healthy' });

  const givenUp = followExecution(app.deps, organizationId, [id], false, AbortSignal.abort());
  await givenUp;
  expect(await connection(id)).toMatchObject({ status: 'healthy' });

  const again = followExecution(app.deps, organizationId, [id], false);
  await until(() => receiver.listenerCount('change') > 0);
  receiver.emit('change');
  await again;
  expect(await connection(id)).toMatchObject({ status: 'error' });
  receiver.closeAllConnections();
  receiver.close();
});
