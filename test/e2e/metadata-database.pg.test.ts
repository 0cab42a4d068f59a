/** The way to the metadata database goes silent, without an end of any connection; a server's clock is not the database's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { canFakeTime, fakeClock } from '../support/faketime.ts';
import { call, connect } from '../support/http.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { startTestServer, type TestServer, temporaryFolder } from '../support/server.ts';
import { type SilentRelay, silentRelay } from '../support/silent-relay.ts';
import { until } from '../support/until.ts';

const apiKey = 'a-key-that-stays-the-same';
const environment = { TIDEMARK_API_KEY: apiKey, TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8' };
let [metadata, shop]: TestDatabase[] = [];
let relay: SilentRelay;
let receiver: Receiver;
let server: TestServer;
let syncId: string;

beforeAll(async () => {
  [metadata, shop] = await Promise.all([createDatabase(), createDatabase()]);
  await shop.query('create table customers (id bigint primary key); create schema copy');
  relay = await silentRelay(metadata.url);
  receiver = await startReceiver();
  server = await startTestServer({ ...environment, DATABASE_URL: relay.url });
  await call(server, 'POST', '/api/webhooks', { endpoint: `${receiver.url}/hook`, secret: 's' });
  const { id } = await connect(server, 'shop', shop.url);
  const sync = await call<{ id: string }>(server, 'POST', '/api/bulk/syncs', {
    name: 'copy',
    mode: 'replicate',
    schedule: { frequency: 'manual' },
    source_connection_id: id,
    destination_connection_id: id,
    destination_configuration: { schema: 'copy' },
  });
  syncId = sync.id;
});
afterAll(async () => {
  await server.stop();
  await receiver.close();
  await relay[Symbol.asyncDispose]();
  await metadata?.[Symbol.asyncDispose]();
  await shop?.[Symbol.asyncDispose]();
});

/** Milliseconds until the event of a run's end has been delivered. */
async function run(): Promise<number> {
  const started = performance.now();
  const before = receiver.requests.length;
  await until(() => call(server, 'POST', `/api/bulk/syncs/${syncId}/executions`, {}).catch(() => undefined));
  await until(() => receiver.requests.length >= before + 2);
  return performance.now() - started;
}

test('everything goes on within tens of seconds: requests, executions, deliveries', async () => {
  await run();
  relay.mute(true);
  await until(async () => (await fetch(`${server.url}/readyz`)).status === 503);
  relay.mute(false);
  await until(async () => (await fetch(`${server.url}/readyz?worker`)).status === 200);
  expect(await run()).toBeLessThan(60_000);
});

test.skipIf(!canFakeTime())(
  'a server that is ten days behind runs and announces everything, and says that it is',
  async () => {
    await server.stop();
    const clock = fakeClock(await temporaryFolder());
    clock.jump(-10 * 86_400);
    server = await startTestServer({
      ...environment,
      ...clock.environment,
      DATABASE_URL: metadata?.url ?? '',
      TIDEMARK_LOG_LEVEL: 'warn',
    });
    const before = receiver.requests.length;
    await run();
    for (const { headers } of receiver.requests.slice(before)) {
      expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(300);
    }
    expect(server.output()).toContain('"off_seconds":-864000');
  },
);
