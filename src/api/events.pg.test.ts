import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';
import { readStream } from '../../test/support/event-stream.ts';
import { until } from '../../test/support/until.ts';
import { appendEvent, type EventType, sampleEvent } from '../events/index.ts';
import { decodePageToken } from '../schema/page-token.ts';

interface Page {
  data: { id: string; type: string; created_at: string; event: { name?: string; n?: number } }[];
  pagination: { next_page_token?: string; has_more: boolean; oldest_available_at: string };
}

let api: TestApp;
let url: string;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  api = await startTestApp();
  api.deps.streamTimes = { heartbeat: 100, patience: 300 };
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await api.tenant(`events-${count++}`);
});

const append = (n: number, type: EventType = 'sync.running', organizationId = tenant.organizationId) =>
  api.database.db.transaction().execute((tx) => appendEvent(tx, { organizationId, type, event: { n } }));

async function appendMany(many: number) {
  const events = [];
  for (let n = 0; n < many; n++) events.push(await append(n));
  return events;
}

async function get(query: string, key: string | null = tenant.apiKey) {
  const { status, body } = await api.request(key, 'GET', `/api/events${query}`);
  return { status, page: body as Page, error: body as { message: string; key: string } };
}

const begin = 'starting_after=2000-01-01T00:00:00Z';
const numbers = (page: Page) => page.data.map(({ event }) => event.n);

test('newest first, and the token goes to older ones until there are none [P1, P4]', async () => {
  await appendMany(5);
  const first = await get('?limit=2');
  expect(numbers(first.page)).toEqual([4, 3]);
  expect(first.page.pagination.has_more).toBe(true);
  const second = await get(`?limit=2&page_token=${first.page.pagination.next_page_token}`);
  expect(numbers(second.page)).toEqual([2, 1]);
  const third = await get(`?limit=2&page_token=${second.page.pagination.next_page_token}`);
  expect(numbers(third.page)).toEqual([0]);
  expect(third.page.pagination).toEqual({ has_more: false, oldest_available_at: expect.any(String) });
});

test('forward from starting_after; a page forward always has a token, and it picks up what comes later [P1]', async () => {
  await appendMany(3);
  const first = await get(`?${begin}&limit=2`);
  expect(numbers(first.page)).toEqual([0, 1]);
  const second = await get(`?limit=2&page_token=${first.page.pagination.next_page_token}`);
  expect(numbers(second.page)).toEqual([2]);
  const end = await get(`?page_token=${second.page.pagination.next_page_token}`);
  expect(end.page.data).toEqual([]);
  await append(3);
  const later = await get(`?page_token=${end.page.pagination.next_page_token}`);
  expect(numbers(later.page)).toEqual([3]);
});

test('a token keeps the upper bound; repeating the first request’s bounds beside it changes nothing', async () => {
  const events = await appendMany(6);
  const bound = `ending_before=${events[4]?.createdAt}`;
  const first = await get(`?${begin}&${bound}&limit=3`);
  expect(numbers(first.page)).toEqual([0, 1, 2]);
  const token = first.page.pagination.next_page_token;
  expect(numbers((await get(`?page_token=${token}`)).page)).toEqual([3]);
  expect(numbers((await get(`?${begin}&${bound}&page_token=${token}`)).page)).toEqual([3]);
});

test('type may be spelled event_type, repeated, or separated by commas', async () => {
  await append(1, 'sync.running');
  await append(2, 'sync.failed');
  await append(3, 'bulk_sync.failed');
  const both = ['type=sync.failed&type=bulk_sync.failed', 'event_type=sync.failed,bulk_sync.failed'];
  for (const query of [...both, 'type=sync.failed&event_type=bulk_sync.failed']) {
    expect(numbers((await get(`?${begin}&${query}`)).page), query).toEqual([2, 3]);
  }
  const { status, error } = await get('?type=sync.exploded');
  expect(status).toBe(422);
  expect(error.message).toMatch(/type: sync\.exploded is none of sync\.running/);
});

/** Resolves when the next request that waits for events has found none and begins to wait. */
function waiter(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { eventFeed } = api.deps;
  const { subscribe } = eventFeed;
  eventFeed.subscribe = (organizationId) => {
    eventFeed.subscribe = subscribe;
    const subscription = subscribe(organizationId);
    const { wait } = subscription;
    subscription.wait = (timeout, signal) => {
      resolve();
      return wait(timeout, signal);
    };
    return subscription;
  };
  return promise;
}

test('wait answers as soon as a matching event is there, and empty when its time is up', async () => {
  const asleep = waiter();
  const waiting = get(`?${begin}&wait=30&type=sync.failed`);
  await asleep;
  await append(1, 'sync.running');
  await append(2, 'sync.failed');
  expect(numbers((await waiting).page)).toEqual([2]);
  const none = await get(`?${begin}&wait=0.2&type=sync.canceled`);
  expect(none.page.data).toEqual([]);
  expect(none.page.pagination.next_page_token).toBeDefined();
});

test('what makes no sense is refused by name', async () => {
  const refused: [string, number, RegExp][] = [
    ['?wait=5', 422, /wait: needs starting_after/],
    [`?${begin}&wait=31`, 422, /wait: takes 0 to 30/],
    ['?limit=0', 422, /limit: takes 1 to 100/],
    ['?limit=101', 422, /limit: takes 1 to 100/],
    ['?limit=ten', 400, /limit/],
    ['?starting_after=yesterday', 422, /starting_after: yesterday is no RFC 3339 timestamp/],
    ['?page_token=nope', 400, /page_token: is not one this list gave out/],
  ];
  for (const [query, status, message] of refused) {
    const answer = await get(query);
    expect([answer.status, answer.error.message], query).toEqual([status, expect.stringMatching(message)]);
  }
});

test('no cursor, token, timestamp or filter, however odd, is an error of ours', async () => {
  const timestamp = fc.oneof(
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom('0000-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '2026-02-30', '2026-01-01T25:00:00Z'),
    fc.constantFrom(
      'infinity',
      'now',
      'today',
      "'; drop table events",
      '2026-01-01 00:00:00.123456789+05:30',
    ),
  );
  const query = fc.record(
    {
      starting_after: timestamp,
      ending_before: timestamp,
      page_token: fc.oneof(
        fc.base64String(),
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
      ),
      type: fc.string(),
      limit: fc.oneof(fc.string(), fc.integer().map(String)),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(query, async (parameters) => {
      const { status } = await get(`?${new URLSearchParams(parameters)}`);
      expect([200, 400, 422]).toContain(status);
    }),
    { numRuns: 200 },
  );
});

test('one event by id; another organization’s is not found', async () => {
  const event = await append(7);
  const found = await api.request(tenant.apiKey, 'GET', `/api/events/${event.id}`);
  expect(found.body).toEqual({
    data: {
      id: event.id,
      organization_id: tenant.organizationId,
      type: 'sync.running',
      created_at: event.createdAt,
      event: { n: 7 },
    },
  });
  const other = await api.tenant(`other-${count}`);
  expect((await api.request(other.apiKey, 'GET', `/api/events/${event.id}`)).status).toBe(404);
  expect((await api.request(tenant.apiKey, 'GET', '/api/events/nonsense')).status).toBe(404);
});

test('a partner names the organization; anyone else is confined to its own', async () => {
  await append(1);
  const { organizationId } = tenant;
  expect((await get('', api.partnerKey)).status).toBe(422);
  expect(numbers((await get(`?organization_id=${organizationId}`, api.partnerKey)).page)).toEqual([1]);
  expect((await get('?organization_id=nonsense', api.partnerKey)).status).toBe(422);
  const other = await api.tenant(`stranger-${count}`);
  expect((await get(`?organization_id=${organizationId}`, other.apiKey)).status).toBe(403);
  const stream = await fetch(`${url}/api/events/stream?organization_id=${organizationId}`, {
    headers: { authorization: `Bearer ${other.apiKey}` },
  });
  expect(stream.status).toBe(403);
  await stream.text();
});

test('a stream without a position begins with what happens next [S1, S5]', async () => {
  await append(1);
  const stream = await readStream(url, tenant.apiKey);
  await stream.comment('live');
  await append(2);
  const [event] = await stream.events(1);
  expect(event?.data.event).toEqual({ n: 2 });
  expect(event?.id).toBe(event?.data.created_at);
  stream.close();
});

test('phases backfill, cutover, live; then heartbeats [S2, S4]', async () => {
  await appendMany(250);
  const stream = await readStream(url, tenant.apiKey, `?${begin}`);
  const events = await stream.events(250);
  expect(events.map(({ data }) => data.event.n)).toEqual(Array.from({ length: 250 }, (_, n) => n));
  await stream.comment('heartbeat');
  expect(stream.comments.slice(0, 4)).toEqual(['backfill', 'cutover', 'live', 'heartbeat']);
  stream.close();
});

test('Last-Event-ID goes on after that event, and wins over starting_after [S3]', async () => {
  const events = await appendMany(4);
  const stream = await readStream(url, tenant.apiKey, `?${begin}`, {
    'last-event-id': events[1]?.createdAt ?? '',
  });
  expect((await stream.events(2)).map(({ data }) => data.event.n)).toEqual([2, 3]);
  stream.close();
  const bad = await fetch(`${url}/api/events/stream`, {
    headers: { authorization: `Bearer ${tenant.apiKey}`, 'last-event-id': 'nonsense' },
  });
  expect(bad.status).toBe(422);
  await bad.text();
});

test('a stream filters by type', async () => {
  const stream = await readStream(url, tenant.apiKey, `?${begin}&type=sync.failed`);
  await stream.comment('live');
  await append(1, 'sync.running');
  await append(2, 'sync.failed');
  expect((await stream.events(1)).map(({ data }) => data.event.n)).toEqual([2]);
  stream.close();
});

test('a stream that is cut before its first event goes on where it began [S3]', async () => {
  await append(0, 'sync.failed');
  for (const query of ['', '?type=sync.failed']) {
    const stream = await readStream(url, tenant.apiKey, query);
    await stream.comment('live');
    stream.close();
    expect(stream.received).toEqual([]);
    await append(1, 'sync.failed');
    const again = await readStream(url, tenant.apiKey, query, { 'last-event-id': stream.lastEventId });
    expect((await again.events(1)).map(({ data }) => data.event.n)).toEqual([1]);
    again.close();
  }
});

test('an organization without events has a position, too, and is never behind [S3, S6]', async () => {
  const stream = await readStream(url, tenant.apiKey, `?${begin}`);
  await stream.comment('live');
  stream.close();
  const { lastEventId } = stream;
  expect(Date.now() - Date.parse(lastEventId)).toBeLessThan(60_000);
  await append(1);
  const again = await readStream(url, tenant.apiKey, '', { 'last-event-id': lastEventId });
  expect((await again.events(1)).map(({ data }) => data.event.n)).toEqual([1]);
  again.close();
  expect([...stream.names, ...again.names]).toEqual([]);
});

test('what a filter leaves out moves the position of streams and tokens [P1, S4]', async () => {
  const filter = 'type=sync.failed';
  const stream = await readStream(url, tenant.apiKey, `?${begin}&${filter}`);
  await stream.comment('live');
  await append(0, 'sync.failed');
  await append(1);
  const last = await append(2);
  await until(() => stream.lastEventId === last.createdAt);
  expect(numbers({ data: stream.received.map(({ data }) => data) } as unknown as Page)).toEqual([0]);
  stream.close();
  for (const after of [begin, `starting_after=${last.createdAt}`]) {
    const { page } = await get(`?${after}&${filter}`);
    const token = page.pagination.next_page_token;
    expect(numbers((await get(`?page_token=${token}`)).page), 'without the filter').toEqual([]);
    await append(3, 'sync.failed');
    expect(numbers((await get(`?page_token=${token}&${filter}`)).page)[0]).toBe(3);
  }
});

test('a position in the future stays there, whatever the log ends with', async () => {
  await append(1, 'sync.failed');
  const ahead = new Date(Date.now() + 3_600_000).toISOString();
  const { page } = await get(`?starting_after=${ahead}&type=sync.canceled`);
  const token = page.pagination.next_page_token ?? '';
  expect(decodePageToken(token, ...[0, 1, 2].map(() => () => true))[1]).toBe(ahead);
});

test('a position is behind when events came after it that are not kept any more [S6]', async () => {
  const { organizationId } = tenant;
  const { createdAt } = await append(1);
  await api.database.query(
    `update tidemark.organizations set created_at = now() - interval '1 month' where id = $1`,
    [organizationId],
  );
  const stream = await readStream(url, tenant.apiKey, `?${begin}`);
  const behind = await stream.named('behind');
  expect(behind).toEqual({ position: '2000-01-01T00:00:00Z', oldest_available_at: expect.any(String) });
  stream.close();
  // The same log after three days in which nothing happened.
  const old = new Date(Date.parse(createdAt) - 72 * 3_600_000).toISOString();
  await api.database.query('update tidemark.event_heads set head = $2 where organization_id = $1', [
    organizationId,
    old,
  ]);
  const quiet = await readStream(url, tenant.apiKey, '', { 'last-event-id': old });
  await quiet.comment('live');
  expect(quiet.names).toEqual([]);
  quiet.close();
});

test('a consumer that reads nothing is cut off, and no page is read for it before it took the last [S7]', async () => {
  // More than the sockets of both sides hold.
  const big = { ...sampleEvent('sync.failed'), error: 'x'.repeat(100_000) };
  const { organizationId } = tenant;
  for (let n = 0; n < 150; n++) {
    await api.database.db
      .transaction()
      .execute((tx) => appendEvent(tx, { organizationId, type: 'sync.failed', event: big }));
  }
  const { eventLog } = api.deps;
  const { list } = eventLog;
  let pages = 0;
  eventLog.list = (query) => {
    if (query.organizationId === organizationId) pages++;
    return list(query);
  };
  onTestFinished(() => {
    eventLog.list = list;
  });
  const connection = once(api.app.server, 'connection').then(([socket]) => socket as Socket);
  const request = http.get(`${url}/api/events/stream?${begin}`, {
    agent: new http.Agent(),
    headers: { authorization: `Bearer ${tenant.apiKey}` },
  });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.pause();
  // Ended by the server; nobody read a byte of the first page, and the second was not read from the log.
  await once(await connection, 'close');
  expect(pages).toBe(1);
  let received = 0;
  response.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  response.on('error', () => {});
  response.resume();
  await until(() => response.closed || response.destroyed);
  expect(received).toBeLessThan(12_000_000);
});

test('an organization has a bounded number of streams; one that is closed makes room [S9]', async () => {
  const streams = await Promise.all(Array.from({ length: 50 }, () => readStream(url, tenant.apiKey)));
  const refused = await fetch(`${url}/api/events/stream`, {
    headers: { authorization: `Bearer ${tenant.apiKey}` },
  });
  expect(refused.status).toBe(429);
  await refused.text();
  streams[0]?.close();
  await until(async () => {
    const again = await fetch(`${url}/api/events/stream`, {
      headers: { authorization: `Bearer ${tenant.apiKey}` },
    });
    await again.body?.cancel();
    return again.status === 200;
  });
  for (const stream of streams) stream.close();
});

test('a server that stops says so to every stream [S8]', async () => {
  const other = await startTestApp();
  const address = await other.app.listen({ host: '127.0.0.1', port: 0 });
  const stream = await readStream(address, other.first.apiKey);
  await stream.comment('live');
  await other[Symbol.asyncDispose]();
  expect(await stream.named('closed')).toEqual({ reason: expect.stringMatching(/stopping/) });
  await stream.closed;
});

test('a wait that a stopping server ends is answered, with a token to go on from', async () => {
  const asleep = waiter();
  const waiting = fetch(`${url}/api/events?${begin}&wait=30&type=sync.canceled`, {
    headers: { authorization: `Bearer ${tenant.apiKey}` },
  });
  await asleep;
  const started = performance.now();
  const closed = api.app.close();
  const answer = await waiting;
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({
    data: [],
    pagination: { next_page_token: expect.any(String) },
  });
  expect(performance.now() - started).toBeLessThan(10_000);
  api.app.server.closeAllConnections();
  await closed;
});
