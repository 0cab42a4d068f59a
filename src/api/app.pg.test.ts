import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { operations } from './operations.ts';

let api: TestApp;
const unknown = '11111111-2222-4333-8444-555555555555';

beforeAll(async () => {
  api = await startTestApp();
});
afterAll(() => api[Symbol.asyncDispose]());

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

test('every operation of the wire answers, built or not, and none pretends an unknown route', async () => {
  const { first } = api;
  for (const [method, path, operationId, access] of operations) {
    // Has no end to wait for: see events.pg.test.ts.
    if (operationId === 'events.stream') continue;
    const url = path.replaceAll(/:\w+/g, unknown);
    const key = access === 'partner' ? api.partnerKey : first.apiKey;
    const body = method === 'GET' || method === 'DELETE' ? undefined : {};
    const response = await api.request(key, method, url, body);
    const shown = `${method} ${path} (${operationId}) ${response.status} ${JSON.stringify(response.body)}`;
    expect(JSON.stringify(response.body) ?? '', shown).not.toContain('unknown_route');
    expect(response.status, shown).not.toBe(500);
    if (response.status >= 400) {
      expect(response.body, shown).toMatchObject({ key: expect.any(String), status: response.status });
    }
  }
});

test('without a credential everything but the connection types is 401', async () => {
  for (const [method, path, operationId] of operations) {
    if (operationId === 'connections.getTypes') continue;
    const body = method === 'GET' || method === 'DELETE' ? undefined : {};
    const response = await api.request(null, method, path.replaceAll(/:\w+/g, unknown), body);
    expect([401, 404], `${method} ${path}: ${JSON.stringify(response.body)}`).toContain(response.status);
    if (response.status === 404) expect(operationId).toBe('modelSync.executions.getLogs');
  }
  expect((await api.request(null, 'GET', '/api/connection_types')).status).toBe(200);
  expect((await api.request('wrong key', 'GET', '/api/me')).status).toBe(401);
});

test('who is calling: a user, an organization by Basic, the partner', async () => {
  const { first, partnerKey } = api;
  const me = async (authorization: string) =>
    (await api.request(null, 'GET', '/api/me', undefined, { authorization })).body;
  expect(await me(`Bearer ${first.apiKey}`)).toMatchObject({
    data: { is_user: true, email: 'admin@localhost' },
  });
  expect(await me(`Bearer ${partnerKey}`)).toMatchObject({ data: { is_partner: true } });
  for (const key of [first.apiKey, partnerKey]) {
    const organization = { is_organization: true, is_user: false, organization_id: first.organizationId };
    expect(await me(basic(first.organizationId, key))).toMatchObject({ data: organization });
  }
  const other = await api.tenant('basic');
  expect(await me(basic(other.organizationId, first.apiKey))).toMatchObject({ status: 401 });
  expect(await me(basic(unknown, partnerKey))).toMatchObject({ status: 401 });
});

test('the partner manages organizations; users may not', async () => {
  const { first, partnerKey } = api;
  expect((await api.request(first.apiKey, 'GET', '/api/organizations')).status).toBe(403);
  expect((await api.request(partnerKey, 'GET', '/api/connections')).status).toBe(403);

  const made = await api.request(partnerKey, 'POST', '/api/organizations', {
    name: 'Acme',
    client_secret: 's3cret',
  });
  const { data } = made.body as { data: { id: string } };
  expect(JSON.stringify(made.body)).not.toContain('s3cret');
  expect((await api.request(partnerKey, 'POST', '/api/organizations', { name: 'Acme' })).status).toBe(409);
  const users = `/api/organizations/${data.id}/users`;
  const user = await api.request(partnerKey, 'POST', users, { email: 'Ann@Acme.Test', role: 'admin' });
  expect(user.body).toMatchObject({ data: { email: 'ann@acme.test', organization_id: data.id } });
  const both = { email: 'b@acme.test', role: 'user', role_ids: [unknown] };
  expect((await api.request(partnerKey, 'POST', users, both)).status).toBe(422);

  const { id } = (user.body as { data: { id: string } }).data;
  const key = await api.request(partnerKey, 'POST', `${users}/${id}/keys`);
  const { value } = (key.body as { data: { value: string } }).data;
  expect((await api.request(value, 'GET', '/api/organization')).body).toMatchObject({
    data: { name: 'Acme' },
  });
  expect((await api.request(partnerKey, 'POST', `${users}/${id}/keys`)).status).toBe(403);
  await api.request(partnerKey, 'POST', `${users}/${id}/keys?force=true`);
  expect((await api.request(value, 'GET', '/api/organization')).status).toBe(401);
  expect((await api.request(partnerKey, 'DELETE', `${users}/${id}`)).body).toMatchObject({ data: { id } });
  expect((await api.request(partnerKey, 'DELETE', `/api/organizations/${data.id}`)).status).toBe(200);
  expect((await api.request(partnerKey, 'DELETE', `/api/organizations/${first.organizationId}`)).status).toBe(
    403,
  );
});

test('a user who is no administrator manages nobody', async () => {
  const { first } = api;
  const path = '/api/organization/users';
  const made = await api.request(first.apiKey, 'POST', path, { email: 'plain@localhost' });
  const { id } = (made.body as { data: { id: string } }).data;
  const users = `/api/organizations/${first.organizationId}/users`;
  const key = await api.request(api.partnerKey, 'POST', `${users}/${id}/keys`);
  const { value } = (key.body as { data: { value: string } }).data;
  expect((await api.request(value, 'GET', path)).status).toBe(200);
  expect((await api.request(value, 'POST', path, { email: 'x@localhost' })).status).toBe(403);
  expect((await api.request(value, 'PUT', `${path}/${id}`, { role: 'admin' })).status).toBe(403);
  // Nor by acting for the organization with the same key.
  const acting = { authorization: basic(first.organizationId, value) };
  expect((await api.request(null, 'PUT', `${path}/${id}`, { role: 'admin' }, acting)).status).toBe(403);
  const admin = { authorization: basic(first.organizationId, first.apiKey) };
  expect((await api.request(null, 'POST', path, { email: 'y@localhost' }, admin)).status).toBe(200);
});

test('versions are echoed; an unknown one is refused and told which are known', async () => {
  const version = async (value: string) =>
    api.request(api.first.apiKey, 'GET', '/api/me', undefined, { 'x-polytomic-version': value });
  for (const known of ['2022-12-12', '2024-02-08', '2025-09-18']) {
    expect((await version(known)).headers['x-polytomic-version']).toBe(known);
  }
  expect((await api.request(api.first.apiKey, 'GET', '/api/me')).headers['x-polytomic-version']).toBe(
    '2025-09-18',
  );
  const refused = await version('1999-01-01');
  expect(refused.status).toBe(400);
  expect(refused.body).toMatchObject({
    key: 'unknown_version',
    message: expect.stringContaining('2024-02-08'),
  });
});

test('bad input is refused in words that name the field', async () => {
  const { first, app } = api;
  const send = (payload: string, type = 'application/json') =>
    app.inject({
      method: 'POST',
      url: '/api/webhooks',
      payload,
      headers: { authorization: `Bearer ${first.apiKey}`, 'content-type': type },
    });
  const malformed = await send('{"endpoint": ');
  expect(malformed.json()).toMatchObject({ key: 'malformed_json', status: 400 });
  const missing = await send('{"endpoint": "https://example.com"}');
  expect(missing.json()).toMatchObject({ status: 400, message: expect.stringContaining('secret') });
  const wrong = await send('{"endpoint": 5, "secret": "s"}');
  expect(wrong.json()).toMatchObject({ status: 400, message: expect.stringContaining('endpoint') });
  expect((await send('{"endpoint": "ftp://x", "secret": "s"}')).statusCode).toBe(422);
  expect((await send('x=1', 'application/x-www-form-urlencoded')).statusCode).toBe(415);
  expect((await send(`{"endpoint": "${'x'.repeat(5_000_000)}"}`)).json()).toMatchObject({ status: 413 });
  expect((await api.request(first.apiKey, 'GET', '/api/webhooks/no-uuid')).status).toBe(404);
  expect((await api.request(first.apiKey, 'GET', '/api/nothing')).body).toMatchObject({
    key: 'unknown_route',
  });
  const limit = await api.request(first.apiKey, 'GET', '/api/events?limit=many');
  expect(limit.body).toMatchObject({ status: 400, message: expect.stringContaining('limit') });
});

test('what cannot be stored is the request’s fault', async () => {
  const { first } = api;
  const organization = { name: 'a\u0000b' };
  expect((await api.request(api.partnerKey, 'POST', '/api/organizations', organization)).status).toBe(400);
  const hook = {
    name: 'nul \u0000',
    type: 'webhook',
    validate: false,
    configuration: { url: 'http://x/' },
  };
  expect((await api.request(first.apiKey, 'POST', '/api/connections', hook)).status).toBe(400);
  for (const time of ['2024-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59.999999999Z']) {
    const response = await api.request(first.apiKey, 'GET', `/api/events?starting_after=${time}`);
    expect([200, 400, 422], `${time} ${JSON.stringify(response.body)}`).toContain(response.status);
  }
  const nul = '%00';
  for (const path of [`/api/models/${nul}`, `/api/webhooks/${nul}`, `/api/connections/x/schemas/${nul}`]) {
    expect((await api.request(first.apiKey, 'GET', path)).status, path).toBe(404);
  }
});

test('an encoded slash does not split a path', async () => {
  const { first } = api;
  const response = await api.request(first.apiKey, 'GET', `/api/connections/${unknown}/schemas/a%2Fb`);
  expect(response.body).toMatchObject({ key: 'not_found' });
});

test('OpenAPI describes every built operation, with parameters, body, errors and what is our addition', async () => {
  const { body } = await api.request(null, 'GET', '/api/openapi.json');
  const document = body as {
    openapi: string;
    paths: Record<string, Record<string, Record<string, unknown> & { responses: object }>>;
  };
  expect(document.openapi).toMatch(/^3\.1/);
  const built = operations.filter(([, , id]) => /^(events|webhooks)\./.test(id));
  for (const [method, path, operationId, , addition] of built) {
    const described = document.paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    expect(described, `${method} ${path}`).toMatchObject({ operationId });
    expect(described?.['x-tidemark-addition'] ?? false).toBe(addition !== undefined);
    expect(Object.keys(described?.responses ?? {})).toContain('default');
  }
  const recover = document.paths['/api/webhooks/{id}/recover']?.post;
  expect(recover).toMatchObject({
    parameters: [{ name: 'id', in: 'path', required: true }],
    requestBody: { content: { 'application/json': { schema: { required: ['since'] } } } },
  });
});
