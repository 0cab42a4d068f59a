/** kill -9 of whole processes in the middle of executions, and what users see afterwards. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { call, connect } from '../support/http.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { startS3 } from '../support/s3.ts';
import { startTestServer, type TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const apiKey = 'a-key-that-stays-the-same';
let shop: TestDatabase;
let warehouse: TestDatabase;
let metadata: TestDatabase;
let receiver: Receiver;

beforeAll(async () => {
  [shop, warehouse] = await Promise.all([createDatabase(), createDatabase()]);
  await shop.query(
    'create table customers as select n::bigint as id, md5(n::text) as name from generate_series(1, 30000) n',
  );
  await warehouse.query('create table contacts (id bigint, name text)');
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await warehouse[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await warehouse.query('truncate contacts');
  metadata = await createDatabase();
  receiver = await startReceiver();
  return async () => {
    await receiver.close();
    await metadata[Symbol.asyncDispose]();
  };
});

const environment = () => ({
  DATABASE_URL: metadata.url,
  TIDEMARK_API_KEY: apiKey,
  TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
  TIDEMARK_WEBHOOK_RETRY_SECONDS: '0,0,0,0,0',
});

interface Execution {
  id: string;
  status: string;
  counts: { total: number; insert: number };
}

/** A model sync in mode append, where sending anything twice would show, and its webhook. */
async function createSync(server: TestServer): Promise<string> {
  await call(server, 'POST', '/api/webhooks', { endpoint: `${receiver.url}/hook`, secret: 's' });
  const [source, target] = await Promise.all([
    connect(server, 'shop', shop.url),
    connect(server, 'warehouse', warehouse.url),
  ]);
  const model = await call<{ id: string }>(server, 'POST', '/api/models', {
    name: 'Customers',
    connection_id: source.id,
    configuration: { table: 'public.customers' },
    identifier: 'id',
  });
  const sync = await call<{ id: string }>(server, 'POST', '/api/syncs', {
    name: 'Append',
    mode: 'append',
    schedule: { frequency: 'manual' },
    fields: ['id', 'name'].map((field) => ({ source: { model_id: model.id, field }, target: field })),
    target: { connection_id: target.id, object: 'public.contacts' },
  });
  return sync.id;
}

/** Starts the sync and returns once its second batch waits for a lock that the test holds. */
async function startAndBlock(
  server: TestServer,
  syncId: string,
): Promise<{ id: string; release(): Promise<void> }> {
  // Blocks the third batch: rows are inserted in the source's order, and this one is in its way.
  await warehouse.query(`create or replace function wait_at() returns trigger language plpgsql as
    $$ begin if new.id = 22500 then perform pg_advisory_xact_lock(1); end if; return new; end $$;
    create or replace trigger wait_at before insert on contacts for each row execute function wait_at()`);
  const { release } = await warehouse.hold('select pg_advisory_xact_lock(1)');
  const { id } = await call<Execution>(server, 'POST', `/api/syncs/${syncId}/executions`, {});
  await until(async () => {
    const [row] = await warehouse.query<{ waiting: boolean }>(
      "select count(*) > 0 as waiting from pg_stat_activity where wait_event = 'advisory' and datname = current_database()",
    );
    return row?.waiting;
  });
  return { id, release };
}

async function expectTheTruth(server: TestServer, syncId: string, executionId: string): Promise<void> {
  const completed = await until(async () => {
    const execution = await call<Execution>(server, 'GET', `/api/syncs/${syncId}/executions/${executionId}`);
    return execution.status === 'completed' ? execution : undefined;
  });
  expect(completed.counts).toMatchObject({ total: 30_000, insert: 30_000 });
  const [contents] = await warehouse.query<{ rows: number; different: number }>(
    'select count(*)::int as rows, count(distinct id)::int as different from contacts',
  );
  expect(contents).toEqual({ rows: 30_000, different: 30_000 });

  const events = await call<{ id: string; type: string }[]>(server, 'GET', '/api/events?limit=100');
  expect(events.map(({ type }) => type)).toEqual(['sync.completed', 'sync.running']);
  await until(() => receiver.requests.length >= 2);
  const delivered = receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect(new Set(delivered)).toEqual(new Set(events.map(({ id }) => id)));

  const { urls } = await call<{ urls: string[] }>(
    server,
    'GET',
    `/api/syncs/${syncId}/executions/${executionId}/inserts`,
  );
  const logs = await Promise.all(
    urls.map(async (url) => (await (await fetch(url)).json()) as { id: number }[]),
  );
  expect(new Set(logs.flat().map(({ id }) => id)).size).toBe(30_000);
  expect(logs.flat().length).toBe(30_000);
}

test('kill -9 of the worker: serve starts another, which goes on at once', async () => {
  const server = await startTestServer(environment());
  const syncId = await createSync(server);
  const blocked = await startAndBlock(server, syncId);
  const { stdout } = await run('pgrep', ['-P', String(server.child.pid)]);
  for (const pid of stdout.trim().split('\n')) process.kill(Number(pid), 'SIGKILL');
  await blocked.release();
  await expectTheTruth(server, syncId, blocked.id);
  expect(await server.stop()).toBe(0);
});

test('kill -9 of the server: its worker goes with it, and the next one carries on; logs are in a bucket', async () => {
  const s3 = await startS3();
  const settings = {
    ...environment(),
    TIDEMARK_RECORD_LOGS: 's3://lake/logs',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_ENDPOINT_URL_S3: String(s3.configuration.endpoint),
  };
  const folder = await temporaryFolder();
  const first = await startTestServer(settings, folder);
  const syncId = await createSync(first);
  const blocked = await startAndBlock(first, syncId);
  await first.kill();
  await blocked.release();
  const second = await startTestServer(settings, folder);
  await expectTheTruth(second, syncId, blocked.id);
  expect((await s3.keys('logs/')).length).toBeGreaterThan(0);
  expect(await second.stop()).toBe(0);
  await s3.close();
});
