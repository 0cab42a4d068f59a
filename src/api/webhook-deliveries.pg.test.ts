import fc from 'fast-check';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';
import { type Receiver, startReceiver } from '../../test/support/receiver.ts';
import { until } from '../../test/support/until.ts';
import { appendEvent, type EventType, eventTypes } from '../events/index.ts';
import { enqueueDeliveries, startDeliveryWorker } from '../webhooks/index.ts';

interface Delivery {
  id: string;
  event_id: string;
  status: string;
  attempt_count: number;
  created_at: string;
  next_attempt_at: string | null;
}
interface Attempt {
  number: number;
  endpoint: string;
  status_code: number | null;
  error_code: string | null;
  error: string | null;
  duration_ms: Record<'dns' | 'connect' | 'tls' | 'first_byte' | 'total', number | null>;
  response: { headers: Record<string, string>; body: string; body_encoding: string } | null;
}

let api: TestApp;
let receiver: Receiver;
let worker: { stop(): Promise<void> };
let tenant: Tenant;
let webhookId: string;
let count = 0;

beforeAll(async () => {
  api = await startTestApp();
  worker = await startDeliveryWorker(
    {
      databaseUrl: api.database.url,
      keyRing: api.deps.keyRing,
      egress: api.deps.egress,
      log: pino({ level: 'silent' }),
      workerId: crypto.randomUUID(),
    },
    // The second retry is far away: what waits for it stays pending.
    { retrySeconds: [0, 600], concurrency: 8, concurrencyPerWebhook: 8, deadline: 5000 },
  );
});
afterAll(async () => {
  await worker.stop();
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  receiver = await startReceiver();
  tenant = await api.tenant(`deliveries-${count++}`);
  const { data } = await call<{ id: string }>('POST', '/api/webhooks', {
    endpoint: `${receiver.url}/hook`,
    secret: 'first secret',
  });
  webhookId = data.id;
  return () => receiver.close();
});

async function call<Data>(method: 'GET' | 'POST' | 'PUT', url: string, body?: object) {
  const response = await api.request(tenant.apiKey, method, url, body);
  const json = response.body as { data: Data; message: string; pagination?: { next_page_token?: string } };
  return { status: response.status, ...json };
}

const hook = (path = '') => `/api/webhooks/${webhookId}${path}`;

function announce(n: number, type: EventType = 'sync.completed') {
  return api.database.db.transaction().execute(async (tx) => {
    const event = await appendEvent(tx, { organizationId: tenant.organizationId, type, event: { n } });
    await enqueueDeliveries(tx, event);
    return event;
  });
}

async function list(query = ''): Promise<Delivery[]> {
  return (await call<Delivery[]>('GET', hook(`/event-deliveries${query}`))).data;
}

const get = async (id: string) =>
  (await call<Delivery & { attempts: Attempt[] }>('GET', hook(`/deliveries/${id}`))).data;

/** The delivery of an event, once it has that status and so many attempts. */
const reaches = (eventId: string, status: string, attempts: number) =>
  until(async () => {
    const delivery = (await list()).find(({ event_id }) => event_id === eventId);
    const there = delivery?.status === status && delivery.attempt_count === attempts;
    return there && (status !== 'pending' || delivery.next_attempt_at !== null) ? delivery : undefined;
  });

test('every attempt is on record: where to, how long each part took, what came back', async () => {
  receiver.behave((_, index) =>
    index === 0
      ? { status: 503, headers: { 'x-reason': 'busy', 'retry-after': '0' }, body: 'come back later' }
      : { status: 200, body: Buffer.from([0xff, 0xfe, 0x00]) },
  );
  const event = await announce(1);
  const { id } = await reaches(event.id, 'delivered', 2);
  const { attempts } = await get(id);
  expect(attempts).toMatchObject([
    {
      number: 1,
      endpoint: `${receiver.url}/hook`,
      status_code: 503,
      error_code: 'status',
      error: 'the endpoint answered 503',
      response: { headers: { 'x-reason': 'busy' }, body: 'come back later', body_encoding: 'utf-8' },
    },
    {
      number: 2,
      status_code: 200,
      error_code: null,
      error: null,
      response: { body: Buffer.from([0xff, 0xfe, 0x00]).toString('base64'), body_encoding: 'base64' },
    },
  ]);
  const [first, second] = attempts.map(({ duration_ms }) => duration_ms);
  // The first request opened the connection, the second found it open.
  expect(first).toMatchObject({ dns: expect.any(Number), connect: expect.any(Number), tls: null });
  expect(second).toMatchObject({ dns: null, connect: null, tls: null });
  for (const duration of [first, second]) {
    expect(duration?.first_byte).toBeGreaterThan(0);
    expect(duration?.total).toBeGreaterThanOrEqual(duration?.first_byte ?? 0);
  }
});

test('a pending delivery says when it is tried next; resend tries it now, with no attempt more', async () => {
  receiver.behave(() => 500);
  const event = await announce(1);
  const waiting = await reaches(event.id, 'pending', 2);
  expect(Date.parse(waiting.next_attempt_at ?? '')).toBeGreaterThan(Date.now() + 400_000);
  const answer = await call<Delivery>('POST', hook(`/deliveries/${waiting.id}/resend`));
  expect(answer.status).toBe(200);
  // Its third attempt was its last.
  const ended = await reaches(event.id, 'failed', 3);
  expect(ended.next_attempt_at).toBeNull();
  expect(receiver.requests.length).toBe(3);
});

test('resend starts the schedule of an ended delivery over; the record goes on counting', async () => {
  receiver.behave((_, index) => (index === 0 ? 200 : 500));
  const event = await announce(1);
  const { id } = await reaches(event.id, 'delivered', 1);
  await call('POST', hook(`/deliveries/${id}/resend`));
  await reaches(event.id, 'pending', 3);
  const { attempts } = await get(id);
  expect(attempts.map(({ number, status_code }) => [number, status_code])).toEqual([
    [1, 200],
    [2, 500],
    [3, 500],
  ]);
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([event.id]));
});

test('recover sends what was missed or failed since then, once, however often it is called', async () => {
  receiver.behave(() => 200);
  const old = await announce(0);
  await reaches(old.id, 'delivered', 1);
  await call('POST', hook('/disable'));
  const missed = [await announce(1), await announce(2), await announce(3)];
  const since = missed[1]?.createdAt ?? '';
  expect((await call('POST', hook('/recover'), { since })).status).toBe(422);
  await call('POST', hook('/enable'));
  const answers = await Promise.all([1, 2, 3].map(() => call('POST', hook('/recover'), { since })));
  const total = answers.map(({ data }) => (data as { missed: number }).missed);
  expect(total.sort()).toEqual([0, 0, 2]);
  for (const event of missed.slice(1)) await reaches(event.id, 'delivered', 1);
  expect(receiver.requests.length).toBe(3);
  expect((await call('POST', hook('/recover'), { since })).data).toEqual({ missed: 0, failed: 0 });
});

test('recover takes up what had failed or was canceled', async () => {
  receiver.behave((_, index) => (index < 1 ? 'hang' : 200));
  const event = await announce(1);
  await receiver.received(1);
  await call('POST', hook('/disable'));
  receiver.drop();
  await reaches(event.id, 'canceled', 1);
  await call('POST', hook('/enable'));
  const { data } = await call('POST', hook('/recover'), { since: '2020-01-01T00:00:00Z' });
  expect(data).toEqual({ missed: 0, failed: 1 });
  await reaches(event.id, 'delivered', 2);
  expect((await call('POST', hook('/recover'), { since: 'yesterday' })).message).toMatch(/since: yesterday/);
  expect((await call('POST', hook('/recover'), {})).status).toBe(400);
});

test('deliveries are listed newest first, by status, type and time, in pages', async () => {
  receiver.behave(({ body }) => (body.includes('sync.failed') ? 500 : 200));
  const events = [
    await announce(0),
    await announce(1, 'sync.failed'),
    await announce(2),
    await announce(3, 'sync.failed'),
    await announce(4),
  ];
  await Promise.all(
    events.map(({ id, type }) =>
      reaches(id, type === 'sync.failed' ? 'pending' : 'delivered', type === 'sync.failed' ? 2 : 1),
    ),
  );
  const order = async (query: string) =>
    (await list(query)).map(({ event_id }) => events.findIndex(({ id }) => id === event_id));
  expect(await order('')).toEqual([4, 3, 2, 1, 0]);
  expect(await order('?status=pending')).toEqual([3, 1]);
  expect(await order('?type=sync.failed&status=delivered')).toEqual([]);
  expect(await order('?type=sync.failed&type=sync.completed')).toEqual([4, 3, 2, 1, 0]);
  const [second, fourth] = [events[1]?.createdAt, events[3]?.createdAt];
  expect(await order(`?starting_after=${second}&ending_before=${fourth}`)).toEqual([2]);
  const page = await call<Delivery[]>('GET', hook('/event-deliveries?limit=2'));
  expect(await order(`?limit=2&page_token=${page.pagination?.next_page_token}`)).toEqual([2, 1]);
  for (const [query, message] of [
    ['?status=lost', /status: lost is none of pending/],
    ['?limit=1000', /limit: takes 1 to 100/],
    ['?page_token=x', /page_token/],
  ] as const) {
    expect((await call('GET', hook(`/event-deliveries${query}`))).message).toMatch(message);
  }
});

test('every attempt is a row of its own, newest first, as clients of 25.9.10 read them', async () => {
  interface Row {
    id: string;
    event_id: string;
    attempted_at: string;
    success: boolean;
    attempt: number;
    delivery_id: string;
  }
  const rows = async (query = '') => (await call<Row[]>('GET', hook(`/deliveries${query}`))).data;
  receiver.behave(({ body }) =>
    JSON.parse(body.toString()).type === 'sync.failed'
      ? { status: 500, body: 'no' }
      : { status: 200, body: 'yes' },
  );
  const bad = await announce(0, 'sync.failed');
  const { id: delivery } = await reaches(bad.id, 'pending', 2);
  const good = await announce(1);
  await reaches(good.id, 'delivered', 1);
  // Sent again: the newest attempt is of the oldest event.
  await call('POST', hook(`/deliveries/${delivery}/resend`));
  await reaches(bad.id, 'failed', 3);
  const all = await rows();
  expect(all.map(({ event_id, attempt }) => [event_id, attempt])).toEqual([
    [bad.id, 3],
    [good.id, 1],
    [bad.id, 2],
    [bad.id, 1],
  ]);
  expect(all[0]).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    event_id: bad.id,
    event_type: 'sync.failed',
    attempted_at: expect.stringMatching(/^\d{4}-.*Z$/),
    success: false,
    status_code: 500,
    duration_ms: expect.any(Number),
    response_body: 'no',
    error: 'the endpoint answered 500',
    error_kind: 'status',
    delivery_id: delivery,
    attempt: 3,
    endpoint: `${receiver.url}/hook`,
  });
  expect(all[1]).toMatchObject({ success: true, status_code: 200, response_body: 'yes' });
  expect(all[1]).not.toHaveProperty('error');
  expect(new Set(all.map(({ id }) => id)).size).toBe(4);
  const order = async (query: string) =>
    (await rows(query)).map(({ id }) => all.findIndex((one) => one.id === id));
  expect(await order('?success=true')).toEqual([1]);
  expect(await order('?success=false')).toEqual([0, 2, 3]);
  expect(await order(`?event_id=${good.id}`)).toEqual([1]);
  expect(await order(`?event_id=${crypto.randomUUID()}`)).toEqual([]);
  expect(await order(`?start=${all[2]?.attempted_at}&end=${all[0]?.attempted_at}`)).toEqual([1, 2]);
  const read: number[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page: Awaited<ReturnType<typeof call<Row[]>>> = await call<Row[]>(
      'GET',
      hook(`/deliveries?limit=1&page_token=${token}`),
    );
    read.push(...page.data.map(({ id }) => all.findIndex((one) => one.id === id)));
    token = page.pagination?.next_page_token;
  }
  expect(read).toEqual([0, 1, 2, 3]);
  expect((await call('GET', hook('/deliveries?event_id=x'))).status).toBe(400);
});

test('test sends a signed sample of any type and says what came of it, and nothing is kept', async () => {
  receiver.behave((_, index) => (index === 0 ? { status: 418, body: 'teapot' } : 200));
  const refused = await call<{ delivered: boolean; attempt: Attempt }>('POST', hook('/test'));
  expect(refused.data).toMatchObject({ delivered: false, attempt: { status_code: 418 } });
  for (const type of eventTypes) {
    const { data } = await call<{ delivered: boolean; payload: string }>('POST', hook('/test'), { type });
    expect(data.delivered).toBe(true);
    expect(receiver.requests.at(-1)?.body.toString()).toBe(data.payload);
    expect(JSON.parse(data.payload)).toMatchObject({
      type,
      event: { organization_id: tenant.organizationId },
    });
  }
  expect(await list()).toEqual([]);
  expect((await call('POST', hook('/test'), { type: 'sync.exploded' })).status).toBe(422);
  await call('PUT', hook(), { endpoint: 'http://169.254.169.254/latest', secret: '********' });
  const guarded = await call<{ attempt: Attempt }>('POST', hook('/test'));
  expect(guarded.data.attempt).toMatchObject({ error_code: 'refused_address', response: null });
});

test('a webhook tells how it is doing', async () => {
  const health = async () => (await call<{ health: object }>('GET', hook())).data.health;
  expect(await health()).toEqual({
    last_success_at: null,
    last_failure_at: null,
    consecutive_failures: 0,
    pending: 0,
  });
  receiver.behave((_, index) => (index === 0 ? 200 : 500));
  const good = await announce(1);
  await reaches(good.id, 'delivered', 1);
  const bad = await announce(2);
  await reaches(bad.id, 'pending', 2);
  expect(await health()).toEqual({
    last_success_at: expect.any(String),
    last_failure_at: expect.any(String),
    consecutive_failures: 2,
    pending: 1,
  });
});

test('after a change of the secret the old one signs too, the header of Polytomic only with the new one', async () => {
  await call('PUT', hook(), { endpoint: `${receiver.url}/hook`, secret: 'second secret' });
  // The mask, as read, changes nothing; neither does leaving it out.
  await call('PUT', hook(), { endpoint: `${receiver.url}/hook`, secret: '********' });
  await call('PUT', hook(), { endpoint: `${receiver.url}/hook` });
  await announce(1);
  const [request] = await receiver.received(1);
  const signatures = String(request?.headers['webhook-signature']).split(' ');
  expect(signatures.length).toBe(2);
  // Corrected at once, as one that was mistyped: receivers still have the first.
  await call('PUT', hook(), { endpoint: `${receiver.url}/hook`, secret: 'third secret' });
  await call('POST', hook('/test'));
  const sample = receiver.requests.at(-1);
  expect(String(sample?.headers['webhook-signature']).split(' ').length).toBe(3);
  await api.database.query("update tidemark.webhook_former_secrets set until = now() - interval '1 second'");
  await announce(2);
  const [, , later] = await receiver.received(3);
  expect(String(later?.headers['webhook-signature']).split(' ').length).toBe(1);
  expect(request?.headers['polytomic-signature']).not.toBe(later?.headers['polytomic-signature']);
});

test('a URL or secret that cannot be used is refused by name; none is ever an error of ours', async () => {
  const endpoint = `${receiver.url}/hook`;
  const refused: [object, RegExp][] = [
    [{ endpoint: 'ftp://example.com', secret: 's' }, /endpoint: ftp:\/\/ is not/],
    [{ endpoint: 'https://user:pass@example.com', secret: 's' }, /endpoint: must not carry a user name/],
    [{ endpoint: `https://example.com/${'a'.repeat(10_000)}`, secret: 's' }, /endpoint: must not be longer/],
    [{ endpoint: 'https://example.com/\nHost: evil', secret: 's' }, /endpoint: must not contain control/],
    [{ endpoint: 'example.com', secret: 's' }, /endpoint: "example\.com" is not/],
    [{ endpoint, secret: '' }, /secret: must not be empty/],
    [{ endpoint, secret: 's'.repeat(10_000) }, /secret: must not be longer/],
    [{ endpoint, secret: 'a\r\nb' }, /secret: must not contain control/],
    [{ endpoint, secret: 'whsec_???' }, /secret: whsec_ must be followed/],
    [{ endpoint, secret: ' s' }, /secret: must not begin or end/],
  ];
  for (const [body, message] of refused) {
    const answer = await call('PUT', hook(), body);
    expect([answer.status, answer.message]).toEqual([422, expect.stringMatching(message)]);
  }
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.webUrl(), fc.string({ unit: 'grapheme' }));
  await fc.assert(
    fc.asyncProperty(text, text, async (url, secret) => {
      expect([200, 400, 422]).toContain((await call('PUT', hook(), { endpoint: url, secret })).status);
    }),
    { numRuns: 150 },
  );
});

test('a secret of any script signs: its bytes are the key', async () => {
  const secret = 'schlüssel 鍵 🔑';
  await call('PUT', hook(), { endpoint: `${receiver.url}/hook`, secret });
  const { data } = await call<{ delivered: boolean; payload: string }>('POST', hook('/test'));
  const { createHmac } = await import('node:crypto');
  const expected = createHmac('sha256', Buffer.from(secret)).update(data.payload).digest('hex');
  expect(receiver.requests.at(-1)?.headers['polytomic-signature']).toBe(expected);
});
