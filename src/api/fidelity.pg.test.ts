import net from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';

let api: TestApp;
let tenant: Tenant;

beforeAll(async () => {
  api = await startTestApp((app) => {
    // Fails the first time it is asked.
    let tries = 0;
    app.post('/api/failing', { config: { access: 'any' } }, async () => {
      if (tries++ === 0) throw new Error('the first time');
      return { tries };
    });
  });
  tenant = await api.tenant('fidelity');
});
afterAll(() => api[Symbol.asyncDispose]());

type Method = Parameters<TestApp['request']>[1];

/** As Basic, with the partner's key. */
const inside = (organizationId: string) => ({
  authorization: `Basic ${Buffer.from(`${organizationId}:${api.partnerKey}`).toString('base64')}`,
});

test('a partner acts in one organization with Basic, and in the one that a body names with Bearer', async () => {
  const users = (organizationId: string) => `/api/organizations/${organizationId}/users`;
  const own = inside(tenant.organizationId);
  const body = { email: 'new@fidelity.test', role: 'user' };
  expect(await api.request(null, 'POST', users(tenant.organizationId), body, own)).toMatchObject({
    status: 200,
  });
  expect(await api.request(null, 'GET', users(tenant.organizationId), undefined, own)).toMatchObject({
    status: 200,
  });
  expect((await api.request(null, 'GET', users(api.first.organizationId), undefined, own)).status).toBe(403);
  expect((await api.request(null, 'GET', '/api/organizations', undefined, own)).status).toBe(403);
  // An administrator's own key makes no partner.
  const basic = Buffer.from(`${tenant.organizationId}:${tenant.apiKey}`).toString('base64');
  const asUser = { authorization: `Basic ${basic}` };
  expect((await api.request(null, 'GET', users(tenant.organizationId), undefined, asUser)).status).toBe(403);

  const connection = {
    name: 'made by the partner',
    type: 'webhook',
    configuration: { url: 'http://127.0.0.1:9/x' },
    validate: false,
  };
  const named = { ...connection, organization_id: tenant.organizationId };
  expect(await api.request(api.partnerKey, 'POST', '/api/connections', named)).toMatchObject({
    status: 200,
    body: { data: { organization_id: tenant.organizationId } },
  });
  for (const organization_id of [undefined, '', 'nope', crypto.randomUUID()]) {
    const answer = await api.request(api.partnerKey, 'POST', '/api/connections', {
      ...connection,
      organization_id,
    });
    expect([organization_id, answer.status]).toEqual([organization_id, 403]);
  }
});

test('every error has one shape and the version header, however early it comes', async () => {
  const shape = { key: expect.any(String), message: expect.any(String), metadata: {}, status: 400 };
  const answers = [
    await api.request(tenant.apiKey, 'GET', '/api/connections/%E0%A4%A'),
    await api.request(tenant.apiKey, 'GET', '/api/me', undefined, { 'x-polytomic-version': '1999-01-01' }),
  ];
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 400, body: { ...shape, metadata: expect.any(Object) } });
    expect(answer.headers['x-polytomic-version']).toBe('2025-09-18');
  }
  const url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
  const answerTo = (sent: string) =>
    new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = net.connect(Number(url.port), url.hostname, () => socket.write(sent));
      socket.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
      socket.on('error', reject);
    });
  expect(await answerTo(`GET / HTTP/1.1\r\nx: ${'x'.repeat(300_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 .*"status":431/s,
  );
  expect(await answerTo('no http at all\r\n\r\n')).toMatch(
    /^HTTP\/1\.1 400 .*x-polytomic-version: 2025-09-18.*"key":"bad_request"/s,
  );
});

test('operations of older generations answer 501, not 404', async () => {
  const id = crypto.randomUUID();
  const operations: [Method, string][] = [
    ['PATCH', `/api/permissions/roles/${id}`],
    ['PATCH', `/api/permissions/policies/${id}`],
    ['GET', `/api/connections/${id}/source`],
    ['GET', `/api/connections/${id}/source/fields`],
    ['GET', `/api/connections/${id}/target`],
    ['GET', `/api/connections/${id}/target/fields`],
  ];
  for (const [method, url] of operations) {
    expect([url, (await api.request(tenant.apiKey, method, url)).status]).toEqual([url, 501]);
  }
  const user = `/api/organizations/${tenant.organizationId}/users/${id}`;
  expect((await api.request(api.partnerKey, 'PATCH', user)).status).toBe(501);
});

test('one sso_domain belongs to one organization, and a secret that is left out stays', async () => {
  const partner = (method: Method, url: string, body: object) =>
    api.request(api.partnerKey, method, url, body);
  const first = { name: 'first sso', sso_domain: 'Example.com', client_secret: 'kept' };
  const made = (await partner('POST', '/api/organizations', first)).body as { data: { id: string } };
  const taken = { status: 409, body: { key: 'sso_domain_taken' } };
  const second = { name: 'second sso', sso_domain: 'example.COM' };
  expect(await partner('POST', '/api/organizations', second)).toMatchObject(taken);
  const other = (await partner('POST', '/api/organizations', { name: 'second sso' })).body as typeof made;
  expect(await partner('PUT', `/api/organizations/${other.data.id}`, second)).toMatchObject(taken);
  const secret = () =>
    api.database.query('select client_secret from tidemark.organizations where id = $1', [made.data.id]);
  const before = await secret();
  const renamed = { name: 'renamed sso', sso_domain: 'Example.com' };
  expect((await partner('PUT', `/api/organizations/${made.data.id}`, renamed)).status).toBe(200);
  expect(await secret()).toEqual(before);
  // For the issuer that it was stored for, and for no other, also once there is none.
  const moved = { ...renamed, issuer: 'https://other.test' };
  expect(await partner('PUT', `/api/organizations/${made.data.id}`, moved)).toMatchObject({
    status: 422,
    body: { metadata: { field: 'client_secret' } },
  });
  const again = { ...moved, client_secret: 'another' };
  expect((await partner('PUT', `/api/organizations/${made.data.id}`, again)).status).toBe(200);
  expect((await partner('PUT', `/api/organizations/${made.data.id}`, moved)).status).toBe(200);
});

test('Idempotency-Key: the order of members does not matter, and a failure of ours fixes nothing', async () => {
  const key = { 'idempotency-key': 'order-of-members' };
  const test = (body: object) => api.request(tenant.apiKey, 'POST', '/api/connections', body, key);
  const configuration = { url: 'http://127.0.0.1:9/x', headers: [{ name: 'a', value: 'b' }] };
  const first = await test({ name: 'ordered', type: 'webhook', configuration, validate: false });
  const turned = { headers: [{ value: 'b', name: 'a' }], url: 'http://127.0.0.1:9/x' };
  const again = await test({ validate: false, configuration: turned, type: 'webhook', name: 'ordered' });
  expect([first.status, again.body]).toEqual([200, first.body]);
  const other = await test({ name: 'ordered', type: 'webhook', configuration, validate: true });
  expect(other).toMatchObject({ status: 422, body: { key: 'idempotency_mismatch' } });

  const failing = () =>
    api.request(tenant.apiKey, 'POST', '/api/failing', {}, { 'idempotency-key': 'failing-once' });
  expect((await failing()).status).toBe(500);
  expect(await failing()).toMatchObject({ status: 200 });
});

test('what clients of 25.9.10 read: logging, credential, and why a webhook is off', async () => {
  const types = (await api.request(null, 'GET', '/api/connection_types')).body as {
    data: { capabilities: Record<string, boolean> }[];
  };
  for (const { capabilities } of types.data) expect(capabilities.logging).toBe(false);
  const me = async (key: string) => (await api.request(key, 'GET', '/api/me')).body;
  expect(await me(tenant.apiKey)).toMatchObject({
    data: { credential: { method: 'api_key', mode: 'user' } },
  });
  expect(await me(api.partnerKey)).toMatchObject({
    data: { credential: { method: 'partner_key', mode: 'partner' } },
  });
  const body = { endpoint: 'http://127.0.0.1:9/hook', secret: 'secret' };
  const made = (await api.request(tenant.apiKey, 'POST', '/api/webhooks', body)).body as {
    data: { id: string };
  };
  const hook = `/api/webhooks/${made.data.id}`;
  const off = { disabled_at: expect.any(String), disabled_reason: 'Disabled by admin@fidelity.test' };
  expect((await api.request(tenant.apiKey, 'POST', `${hook}/disable`)).body).toMatchObject({ data: off });
  const on = (await api.request(tenant.apiKey, 'POST', `${hook}/enable`)).body as { data: object };
  expect(Object.keys(on.data)).not.toContain('disabled_at');
});
