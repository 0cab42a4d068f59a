/** listen, events tail and trigger as their users run them: processes beside a server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { verifyWebhook } from 'tidemark/webhook';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/db/index.ts';
import { appendEvent, type EventType, sampleEvent } from '../../src/events/index.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { call } from '../support/http.ts';
import { startReceiver } from '../support/receiver.ts';
import { inherited, startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const main = path.join(import.meta.dirname, '../../bin/tidemark.mjs');
let metadata: TestDatabase;
let server: TestServer;
let database: ReturnType<typeof openDatabase>;
let organizationId: string;

const environment = () => ({
  DATABASE_URL: metadata.url,
  TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8',
});

beforeAll(async () => {
  metadata = await createDatabase();
  server = await startTestServer(environment());
  database = openDatabase(metadata.url);
  organizationId = (await call<{ id: string }>(server, 'GET', '/api/organization')).id;
});
afterAll(async () => {
  await server.stop();
  await database.close();
  await metadata[Symbol.asyncDispose]();
});

const append = (type: EventType) =>
  database.db
    .transaction()
    .execute((tx) => appendEvent(tx, { organizationId, type, event: sampleEvent(type) }));

/** Runs a command on the server's data directory; its key is found there. */
function tidemark(...args: string[]): { child: ChildProcess; lines: string[]; exit: Promise<number | null> } {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...inherited(), TIDEMARK_DATA_DIR: server.dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, lines, exit: once(child, 'close').then(([code]) => code as number | null) };
}

test('listen forwards events, signed, a line for each, through a restart of the connection', async () => {
  const receiver = await startReceiver();
  receiver.behave((_, index) => (index === 1 ? 500 : 200));
  const since = new Date().toISOString();
  const { child, lines, exit } = tidemark(
    'listen',
    ...[
      '--forward-to',
      `${receiver.url}/hook`,
      '--secret',
      'local',
      '--type',
      'sync.failed',
      '--since',
      since,
    ],
  );
  await until(() => lines.some((line) => line.startsWith('Forwarding')));
  const first = await append('sync.failed');
  await append('sync.running');
  await receiver.received(1);
  // Every connection to the database is lost; the stream goes on, or is opened again where it was.
  const client = new pg.Client(metadata.url);
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  );
  await client.end();
  const second = await until(() => append('sync.failed').catch(() => undefined));
  const requests = await receiver.received(2);
  const verified = requests.map((request) => verifyWebhook(request, 'local'));
  expect(verified.map(({ id, type }) => [id, type])).toEqual([
    [first.id, 'sync.failed'],
    [second.id, 'sync.failed'],
  ]);
  expect(requests[0]?.body.toString()).toBe(first.body);
  await until(() => lines.some((line) => /sync\.failed +✗ 500 \(\d+ ms\) {2}Orders to warehouse/.test(line)));
  expect(lines.some((line) => /sync\.failed +→ 200/.test(line))).toBe(true);
  child.kill('SIGINT');
  expect(await exit).toBe(0);
  await receiver.close();
});

test('events tail prints events as they happen, or their JSON', async () => {
  const since = new Date().toISOString();
  const text = tidemark('events', 'tail', '--since', since);
  const json = tidemark('events', 'tail', '--json', '--since', since);
  const event = await append('bulk_sync.failed');
  await until(() => text.lines.some((line) => line.includes('the connection was refused')));
  const line = await until(() => json.lines.find((one) => one.includes(event.id)));
  expect(JSON.parse(line)).toEqual({
    id: event.id,
    organization_id: organizationId,
    type: 'bulk_sync.failed',
    created_at: event.createdAt,
    event: sampleEvent('bulk_sync.failed'),
  });
});

test('trigger sends a sample: to the webhook through the server, or straight to a URL', async () => {
  const receiver = await startReceiver();
  const none = tidemark('trigger', 'sync.completed');
  expect(await none.exit).toBe(1);
  expect(none.lines.join()).toMatch(/this organization has no webhook: create one, or use --forward-to/);
  await call(server, 'POST', '/api/webhooks', { endpoint: `${receiver.url}/hook`, secret: 'of the webhook' });
  const through = tidemark('trigger', 'sync.completed');
  expect(await through.exit).toBe(0);
  const straight = tidemark('trigger', 'sync.failed', '--forward-to', receiver.url, '--secret', 'local');
  expect(await straight.exit).toBe(0);
  const [one, two] = await receiver.received(2);
  if (one === undefined || two === undefined) throw new Error('two requests were received');
  expect(verifyWebhook(one, 'of the webhook').type).toBe('sync.completed');
  expect(verifyWebhook(two, 'local').type).toBe('sync.failed');
  expect(straight.lines.join()).toMatch(/sync\.failed → .*: 200 \(\d+ ms\)/);
  await receiver.close();
});
