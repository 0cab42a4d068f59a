import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { FailedAttempts } from './failed-attempts.ts';

let api: TestApp;
let url: string;

beforeAll(async () => {
  api = await startTestApp();
  api.deps.failuresAtOnce = 20;
  api.deps.streamTimes = { heartbeat: 60_000, patience: 300, credentials: 50 };
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api[Symbol.asyncDispose]());

const soon = () => new Date(Date.now() + 3_600_000).toISOString();

test('a user has several keys, that are named, listed without the key, and end', async () => {
  const tenant = await api.tenant('keys-several');
  const base = `/api/organization/users/${tenant.userId}/keys`;
  const call = (method: 'GET' | 'POST' | 'DELETE', at = base, body?: object, key = tenant.apiKey) =>
    api.request(key, method, at, body);
  expect(await call('POST')).toMatchObject({ status: 403 });
  const made = await call('POST', base, { name: 'laptop', expires_at: soon() });
  const { id, value } = (made.body as { data: { id: string; value: string } }).data;
  expect(await api.request(value, 'GET', '/api/me')).toMatchObject({ status: 200 });
  const list = await call('GET');
  expect(list.body).toMatchObject({
    data: [
      { name: null, expires_at: null },
      { id, name: 'laptop' },
    ],
  });
  expect(JSON.stringify(list.body)).not.toContain(value);

  await api.database.query("update tidemark.api_keys set expires_at = now() - interval '1 s' where id = $1", [
    id,
  ]);
  expect(await api.request(value, 'GET', '/api/me')).toMatchObject({ status: 401 });
  expect(await call('DELETE', `${base}/${id}`)).toMatchObject({ status: 200 });
  expect(await call('DELETE', `${base}/${id}`)).toMatchObject({ status: 404 });
  for (const expires_at of ['2020-01-01T00:00:00Z', 'tomorrow']) {
    expect((await call('POST', base, { expires_at })).status).toBeGreaterThanOrEqual(400);
  }

  const invited = await api.request(tenant.apiKey, 'POST', '/api/organization/users', {
    email: 'b@example.com',
  });
  const other = (invited.body as { data: { id: string } }).data.id;
  const theirs = await call('POST', `/api/organization/users/${other}/keys`);
  const key = (theirs.body as { data: { value: string } }).data.value;
  expect(await call('GET', `/api/organization/users/${other}/keys`, undefined, key)).toMatchObject({
    status: 200,
  });
  expect(await call('GET', base, undefined, key)).toMatchObject({ status: 403 });
  expect(await call('POST', base, { name: 'x' }, key)).toMatchObject({ status: 403 });
  const stranger = await api.tenant('keys-stranger');
  for (const method of ['GET', 'POST'] as const) {
    expect(await call(method, base, undefined, stranger.apiKey)).toMatchObject({ status: 404 });
  }
  const partners = `/api/organizations/${tenant.organizationId}/users/${tenant.userId}/keys`;
  expect(await api.request(api.partnerKey, 'GET', partners)).toMatchObject({ status: 200 });
});

test('an address gets its failures back, and the memory of addresses is bounded', () => {
  let now = 0;
  const attempts = new FailedAttempts(() => now);
  const from = (address: string, many: number) =>
    Array.from({ length: many }, () => attempts.failed(address));
  expect(from('192.0.2.1', 20).every((wait) => wait === undefined)).toBe(true);
  expect(from('192.0.2.1', 3)).toEqual([3, 3, 3]);
  expect(attempts.failed('::ffff:192.0.2.1')).toBe(3);
  now += 3000;
  expect(from('192.0.2.1', 2)).toEqual([undefined, 3]);
  from('2001:db8::1', 20);
  expect(attempts.failed('2001:db8:0:0:ffff::9')).toBe(3);
  expect(attempts.failed('2001:db8:0:1::9')).toBeUndefined();
  for (let n = 0; n < 10_000; n++) attempts.failed(`10.1.${n >> 8}.${n & 255}`);
  expect(attempts.failed('192.0.2.1')).toBeUndefined();
});

test.each(['user', 'key', 'organization', 'organization of the partner'] as const)(
  'an open stream ends with its %s',
  async (what) => {
    const tenant = await api.tenant(`streams-${what.replaceAll(' ', '-')}`);
    const asPartner = what === 'organization of the partner';
    const key = asPartner ? api.partnerKey : tenant.apiKey;
    const query = asPartner ? `?organization_id=${tenant.organizationId}` : '';
    const headers = { authorization: `Bearer ${key}` };
    const since = `wait=30&starting_after=2000-01-01T00:00:00Z${query.replace('?', '&')}`;
    const polling = fetch(`${url}/api/events?${since}`, { headers });
    const response = await fetch(`${url}/api/events/stream${query}`, { headers });
    expect(response.status).toBe(200);
    const { userId, organizationId } = tenant;
    if (what === 'key') {
      await api.database.query('delete from tidemark.api_keys where user_id = $1', [userId]);
    } else if (what === 'user') {
      await api.database.query('delete from tidemark.users where id = $1', [userId]);
    } else {
      const path = `/api/organizations/${organizationId}`;
      expect(await api.request(api.partnerKey, 'DELETE', path)).toMatchObject({ status: 200 });
    }
    expect(await response.text()).toContain('the key or the organization is not there any more');
    expect((await polling).status).toBe(401);
  },
);

test('failed authentications are limited by address, and a valid key is taken whatever others send', async () => {
  const tenant = await api.tenant('keys-limited');
  const answers = [];
  for (let n = 0; n < 30; n++) answers.push(await api.request('no-key', 'GET', '/api/me'));
  expect(answers.slice(0, 10).every(({ status }) => status === 401)).toBe(true);
  expect(answers.at(-1)).toMatchObject({ status: 429, body: { key: 'too_many_failures' } });
  expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
  expect(await api.request(tenant.apiKey, 'GET', '/api/me')).toMatchObject({ status: 200 });
});
