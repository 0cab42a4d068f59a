import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMetadataDatabase, type MetadataDatabase } from '../../test/support/database.ts';
import { type Receiver, startReceiver } from '../../test/support/receiver.ts';
import { until } from '../../test/support/until.ts';
import { createEgress, type Egress } from '../egress/index.ts';
import { appendEvent, type StoredEvent } from '../events/index.ts';
import { KeyRing } from '../lib/seal.ts';
import {
  createWebhook,
  deleteWebhook,
  enqueueDeliveries,
  releaseDeliveries,
  setWebhookDisabled,
  startDeliveryWorker,
  updateWebhook,
} from './index.ts';

const keyRing = new KeyRing([Buffer.alloc(32, 3)]);
const retrySeconds = [0, 0, 0, 0, 0];
let metadata: MetadataDatabase;
let receiver: Receiver;
let egress: Egress;
let worker: { stop(): Promise<void> };
let organizationId: string;
let webhookId: string;

const actor = { id: crypto.randomUUID(), name: 'tester', type: 'user' } as const;

beforeAll(async () => {
  metadata = await createMetadataDatabase();
  egress = createEgress({ allow: ['127.0.0.0/8'] });
  worker = await startWorker();
});
afterAll(async () => {
  await worker.stop();
  await egress.close();
  await metadata[Symbol.asyncDispose]();
});
beforeEach(async () => {
  receiver = await startReceiver();
  const organization = await metadata.db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  organizationId = organization.id;
  const webhook = await createWebhook({ db: metadata.db, keyRing }, organizationId, {
    endpoint: `${receiver.url}/hook`,
    secret: 'first',
  });
  webhookId = webhook.id;
  return () => receiver.close();
});

function startWorker() {
  const log = pino({ level: 'silent' });
  return startDeliveryWorker(
    { databaseUrl: metadata.url, keyRing, egress, log, workerId: crypto.randomUUID() },
    { retrySeconds, concurrency: 8, concurrencyPerWebhook: 4, deadline: 15_000 },
  );
}

function announce(n = 1): Promise<StoredEvent> {
  return metadata.db.transaction().execute(async (tx) => {
    const event = await appendEvent(tx, {
      organizationId,
      type: 'sync.completed',
      event: { n, name: 'Zoë' },
    });
    await enqueueDeliveries(tx, event);
    return event;
  });
}

async function delivery(event: StoredEvent) {
  const row = await metadata.db
    .selectFrom('webhook_deliveries')
    .select(['id', 'status', 'attempts'])
    .where('event_id', '=', event.id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const attempts = await metadata.db
    .selectFrom('webhook_attempts')
    .select(['attempt', 'status_code', 'error'])
    .where('delivery_id', '=', row.id)
    .orderBy('attempt')
    .execute();
  return { status: row.status, attempts };
}

const ended = (event: StoredEvent) =>
  until(async () => {
    const now = await delivery(event);
    return now !== undefined && now.status !== 'pending' ? now : undefined;
  });

test('a 2xx ends it after one attempt; the body is what the log stored', async () => {
  receiver.behave(() => 204);
  const event = await announce();
  expect(await ended(event)).toEqual({
    status: 'delivered',
    attempts: [{ attempt: 1, status_code: 204, error: null }],
  });
  expect(receiver.requests.map(({ body }) => body.toString())).toEqual([event.body]);
});

test('every kind of failure is retried, with the same id and body, and none after a 2xx', async () => {
  const behaviours = [500, 'reset', { redirect: `${receiver.url}/elsewhere` }, 404, 200] as const;
  receiver.behave((_, index) => behaviours[index]);
  const event = await announce();
  const { status, attempts } = await ended(event);
  expect(status).toBe('delivered');
  expect(attempts.map(({ status_code }) => status_code)).toEqual([500, null, 302, 404, 200]);
  expect(attempts.filter(({ error }) => error === null).length).toBe(1);
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([event.id]));
  expect(new Set(receiver.requests.map(({ body }) => body.toString())).size).toBe(1);
  expect(receiver.requests.every(({ url }) => url === '/hook')).toBe(true);
});

test('six attempts are the end', async () => {
  receiver.behave(() => 503);
  const event = await announce();
  const { status, attempts } = await ended(event);
  expect(status).toBe('failed');
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(receiver.requests.length).toBe(6);
});

test('an endpoint that nobody listens on, or that is private, costs attempts and says why', async () => {
  await updateWebhook({ db: metadata.db, keyRing }, organizationId, webhookId, {
    endpoint: 'http://10.1.2.3/hook',
    secret: 's',
  });
  const refused = await ended(await announce());
  expect(refused.attempts.length).toBe(6);
  expect(refused.attempts[0]?.error).toMatch(/private/);
});

test('a new URL and secret apply to the next attempt', async () => {
  receiver.behave(({ url }) => (url === '/hook' ? 'hang' : 200));
  const event = await announce();
  await receiver.received(1);
  await updateWebhook({ db: metadata.db, keyRing }, organizationId, webhookId, {
    endpoint: `${receiver.url}/moved`,
    secret: 'second',
  });
  // Ends the hanging attempt by breaking its connection.
  receiver.drop();
  expect((await ended(event)).status).toBe('delivered');
  expect(receiver.requests.map(({ url }) => url)).toEqual(['/hook', '/moved']);
  const [before, after] = receiver.requests.map(({ headers }) => headers['polytomic-signature']);
  expect(before).not.toBe(after);
});

test('a disabled webhook gets nothing, not even after it is enabled; deleting ends what is pending', async () => {
  await setWebhookDisabled(metadata.db, organizationId, webhookId, true, actor);
  const missed = await announce(1);
  await setWebhookDisabled(metadata.db, organizationId, webhookId, false, actor);
  expect(await delivery(missed)).toBeUndefined();

  receiver.behave(() => 'hang');
  const pending = await announce(2);
  await receiver.received(1);
  await deleteWebhook(metadata.db, organizationId, webhookId);
  receiver.drop();
  expect((await ended(pending)).status).toBe('canceled');
  expect(receiver.requests.length).toBe(1);
});

test('a worker killed over a request has used up that attempt; the next one follows at once', async () => {
  receiver.behave((_, index) => (index === 0 ? 'hang' : 200));
  await worker.stop();
  const workerId = crypto.randomUUID();
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'delivery-worker.fixture.ts'), workerId],
    {
      env: { ...process.env, DATABASE_URL: metadata.url },
      stdio: 'inherit',
    },
  );
  const event = await announce();
  await receiver.received(1);
  child.kill('SIGKILL');
  await once(child, 'exit');

  worker = await startWorker();
  await releaseDeliveries(metadata.db, { attempts: 6, deadline: 15_000, workerId });
  const { status, attempts } = await ended(event);
  expect(status).toBe('delivered');
  expect(attempts).toEqual([
    { attempt: 1, status_code: null, error: expect.stringContaining('killed') },
    { attempt: 2, status_code: 200, error: null },
  ]);
  const sent = receiver.requests.map(({ headers }) => headers['webhook-id']);
  expect(sent).toEqual([event.id, event.id]);
});

test('a secret that this worker cannot open costs attempts and says so; another can take its place', async () => {
  const other = new KeyRing([Buffer.alloc(32, 9)]);
  await metadata.db
    .updateTable('webhooks')
    .set({ secret: other.seal('sealed elsewhere') })
    .where('id', '=', webhookId)
    .execute();
  const { status, attempts } = await ended(await announce());
  expect(status).toBe('failed');
  expect(attempts.length).toBe(6);
  expect(attempts[0]?.error).toMatch(/^the secret cannot be opened/);
  expect(receiver.requests.length).toBe(0);
  // A new secret takes its place.
  await updateWebhook({ db: metadata.db, keyRing }, organizationId, webhookId, {
    endpoint: `${receiver.url}/hook`,
    secret: 'again',
  });
  expect((await ended(await announce())).status).toBe('delivered');
  expect(String(receiver.requests[0]?.headers['webhook-signature']).split(' ').length).toBe(1);
});

/** A webhook of another organization at the same receiver. */
async function neighbour(path: string): Promise<{ organizationId: string; webhookId: string }> {
  const { id } = await metadata.db
    .insertInto('organizations')
    .values({ name: crypto.randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow();
  const webhook = await createWebhook({ db: metadata.db, keyRing }, id, {
    endpoint: `${receiver.url}${path}`,
    secret: 's',
  });
  return { organizationId: id, webhookId: webhook.id };
}

/** One event for each organization, all in one transaction: a worker hears of them at once. */
function announceTo(organizationIds: readonly string[]): Promise<void> {
  return metadata.db.transaction().execute(async (tx) => {
    for (const id of organizationIds) {
      const event = await appendEvent(tx, { organizationId: id, type: 'sync.running', event: {} });
      await enqueueDeliveries(tx, event);
    }
  });
}

const arrivedAt = (path: string) => receiver.requests.filter(({ url }) => url === path).length;

test('one endpoint that never answers delays nobody else, however much is queued for it', async () => {
  receiver.behave(({ url }) => (url === '/hook' ? 'hang' : 200));
  await announceTo(Array.from({ length: 50 }, () => organizationId));
  await receiver.received(1);
  const good = await neighbour('/good');
  await announceTo(Array.from({ length: 20 }, () => good.organizationId));
  await until(() => arrivedAt('/good') === 20);
  // The hanging one still has its first request only.
  expect(arrivedAt('/hook')).toBe(1);
  await setWebhookDisabled(metadata.db, organizationId, webhookId, true, actor);
  receiver.drop();
});

test('nor do many that never answer, though they ask for all places at the same moment', async () => {
  receiver.behave(({ url }) => (url === '/hang' ? 'hang' : 200));
  const good = await neighbour('/good');
  await announceTo([good.organizationId]);
  await until(() => arrivedAt('/good') === 1);
  const hanging = await Promise.all(Array.from({ length: 20 }, () => neighbour('/hang')));
  await announceTo(hanging.map((one) => one.organizationId));
  await until(() => arrivedAt('/hang') >= 4);
  await announceTo([good.organizationId]);
  await until(() => arrivedAt('/good') === 2);
  // Half of the eight places.
  expect(arrivedAt('/hang')).toBe(4);
  for (const one of hanging) await deleteWebhook(metadata.db, one.organizationId, one.webhookId);
  receiver.drop();
});
