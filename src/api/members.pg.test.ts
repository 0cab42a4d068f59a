import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const strict = { 'tidemark-strict': 'true' };
const call = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  body?: object,
  headers: Record<string, string> = {},
) => app.request(app.first.apiKey, method, url, body, headers);

test('a member that nothing reads is named to foreign clients and refused to our own', async () => {
  const body = {
    endpoint: 'https://example.com',
    secret: 'a secret',
    colour: { of: 'paint' },
    'ümläut\r\n': 1,
  };
  const { status, headers } = await call('POST', '/api/webhooks?_=1', body);
  expect(status).toBe(200);
  expect(headers['tidemark-ignored']).toBe('_, colour, %C3%BCml%C3%A4ut%0D%0A');
  const refused = await call('POST', '/api/webhooks', body, strict);
  expect(refused).toMatchObject({
    status: 400,
    body: { key: 'unknown_member', metadata: { field: 'colour' } },
  });
  // Operations without a body or a query are no exception.
  expect((await call('GET', '/api/models?since=2026')).headers['tidemark-ignored']).toBe('since');
  expect(await call('GET', '/api/models?since=2026', undefined, strict)).toMatchObject({ status: 400 });
  expect((await call('GET', '/api/models', undefined, strict)).headers).not.toHaveProperty(
    'tidemark-ignored',
  );
});

test('a misspelling is refused to everyone, with the name that was meant', async () => {
  const webhook = { endpoint: 'https://example.com', secret: 'x', organisation_id: null };
  expect(await call('POST', '/api/webhooks', webhook)).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('organisation_id (did you mean organization_id?)') },
  });
  expect(await call('GET', '/api/events?startingAfter=2026-01-01T00:00:00Z')).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('starting_after') },
  });
});

test('a newer client is not refused for a member that this server does not know', async () => {
  const generated = { 'x-fern-language': 'Go', 'x-fern-sdk-name': 'github.com/polytomic/polytomic-go' };
  const sample = (body: object, headers = {}) => call('POST', '/api/webhooks/x/test', body, headers);
  const newer = await sample({ types: ['sync.completed'] }, generated);
  expect([newer.status, newer.headers['tidemark-ignored']]).toEqual([404, 'types']);
  expect((await sample({ types: [] }, { ...generated, ...strict })).status).toBe(400);
  // By hand: what is there beside the known one is no misspelling of it, what stands in its place is.
  const beside = await sample({ type: 'sync.completed', types: [] });
  expect([beside.status, beside.headers['tidemark-ignored']]).toEqual([404, 'types']);
  expect((await sample({ types: [] })).status).toBe(400);
  // A configuration is written by people, whatever sends it.
  const connection = {
    name: 'misspelled',
    type: 'webhook',
    validate: false,
    configuration: { url: 'https://example.com/hook', auth_method: 'polytomic_secret', heders: [] },
  };
  expect(await call('POST', '/api/connections', connection, generated)).toMatchObject({ status: 400 });
});

test('more unknown members than a client says by mistake are refused', async () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, index]));
  const body = { endpoint: 'https://example.com', secret: 'x', ...many };
  expect(await call('POST', '/api/webhooks', body)).toMatchObject({ status: 400 });
  const some = Object.fromEntries(
    Object.entries(many)
      .slice(0, 190)
      .map(([name, value]) => [name.repeat(9), value]),
  );
  const { headers } = await call('POST', '/api/webhooks/x/test', some);
  expect(String(headers['tidemark-ignored']).length).toBeLessThan(2100);
});

test('members of configurations are held against what the connector reads', async () => {
  const configuration = {
    url: 'https://example.com/hook',
    auth_method: 'basic',
    basic: { username: 'u', password: 'p' },
  };
  const body = (more: object) => ({
    name: crypto.randomUUID(),
    type: 'webhook',
    validate: false,
    configuration: { ...configuration, ...more },
  });
  const created = await call(
    'POST',
    '/api/connections',
    body({ connection_string: 'x', basic: { username: 'u', password: 'p', realm: 'r' } }),
  );
  expect(created.status).toBe(200);
  expect(created.headers['tidemark-ignored']).toBe(
    'configuration.basic.realm, configuration.connection_string',
  );
  expect(await call('POST', '/api/connections', body({ connection_string: 'x' }), strict)).toMatchObject({
    status: 400,
  });
  const { data } = created.body as { data: { id: string } };
  for (const [method, url] of [
    ['POST', '/api/connections'],
    ['POST', '/api/connections/test'],
    ['PUT', `/api/connections/${data.id}`],
  ] as const) {
    const { status, body: error } = await call(method, url, body({ heders: [] }));
    expect(status).toBe(400);
    expect(error).toMatchObject({
      message: expect.stringContaining('configuration.heders (did you mean headers?)'),
    });
  }
  const postgresql = {
    hostname: 'x',
    port: 5432,
    database: 'x',
    username: 'x',
    password: 'x',
    change_detection: true,
  };
  expect(
    await call('POST', '/api/connections', { ...body({}), type: 'postgresql', configuration: postgresql }),
  ).toMatchObject({ status: 422, body: { metadata: { field: 'configuration.change_detection' } } });
});
