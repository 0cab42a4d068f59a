/**
 * Walks every route there is with another tenant's credential. A route that is added later is walked too: one
 * whose parameters this file cannot fill fails the first test.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appendEvent } from '../../src/events/index.ts';
import { startExecution } from '../../src/executions/index.ts';
import { enqueueDeliveries } from '../../src/webhooks/index.ts';
import { startTestApp, type Tenant, type TestApp } from '../support/app.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import { until } from '../support/until.ts';

interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  access: string | undefined;
}

const routes: Route[] = [];
let api: TestApp;
let shop: TestDatabase;
/** Owns one of everything. */
let owner: Tenant;
let stranger: Tenant;
/** By the path that leads to a parameter, the owner's id. */
let ids: [path: RegExp, parameters: Record<string, string>][];

beforeAll(async () => {
  shop = await createDatabase();
  await shop.query(
    'create table secrets (id int primary key, value text); insert into secrets values (1, $$treasure$$)',
  );
  api = await startTestApp((app) => {
    app.addHook('onRoute', (route) => {
      for (const method of [route.method].flat()) {
        if (method === 'HEAD' || method === 'OPTIONS') continue;
        routes.push({ method: method as Route['method'], url: route.url, access: route.config?.access });
      }
    });
  });
  owner = await api.tenant('owner');
  stranger = await api.tenant('stranger');
  await createOne();
});

afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await shop?.[Symbol.asyncDispose]();
});

test('no route that names an id shows, changes or starts another organization’s', async () => {
  const walked: string[] = [];
  for (const { method, url, access } of routes.filter((route) => route.url.includes(':'))) {
    if (access?.startsWith('partner') || url.startsWith('/api/connection_types')) continue;
    const parameters = ids.find(([path]) => path.test(url))?.[1];
    const filled = url.replaceAll(/:(\w+)/g, (_, name: string) => {
      const value = parameters?.[name];
      if (value === undefined)
        throw new Error(`${method} ${url}: this test has no id for :${name}; add it to createOne`);
      return encodeURIComponent(value);
    });
    const body = method === 'GET' || method === 'DELETE' ? undefined : bodyFor(url);
    const query = url.endsWith('/target/fields') ? '?target=public.secrets' : '';
    const response = await api.request(stranger.apiKey, method, `${filled}${query}`, body);
    const shown = `${method} ${filled}: ${response.status} ${JSON.stringify(response.body)}`;
    expect([404, 501], shown).toContain(response.status);
    expect(JSON.stringify(response.body), shown).not.toMatch(/treasure|Owner/);
    walked.push(`${method} ${url}`);
  }
  expect(walked.length).toBeGreaterThan(80);
});

test('no list shows another organization’s', async () => {
  for (const { method, url, access } of routes) {
    // A stream has no end to wait for; events.pg.test.ts asks it the same question.
    if (method !== 'GET' || url.includes(':') || access?.startsWith('partner') || url.endsWith('/stream'))
      continue;
    const response = await api.request(stranger.apiKey, 'GET', url);
    const text = JSON.stringify(response.body);
    expect(text, url).not.toMatch(/Owner|treasure/);
    expect(text, url).not.toContain(owner.organizationId);
  }
});

test('nor can another organization’s ids be used in a body', async () => {
  const [connection, , model] = ['/api/connections/:id', '', '/api/models/:id'].map(
    (path) => ids.find(([pattern]) => pattern.test(path))?.[1].id ?? '',
  );
  const attempts: [string, object][] = [
    ['/api/models', { name: 'M', connection_id: connection, configuration: { table: 'public.secrets' } }],
    [
      '/api/model-preview',
      { name: 'M', connection_id: connection, configuration: { table: 'public.secrets' } },
    ],
    ['/api/connections/test', { type: 'postgresql', connection_id: connection, configuration: {} }],
    ['/api/syncs', modelSync(model ?? '', connection ?? '', 'S')],
    ['/api/bulk/syncs', bulkSync(connection ?? '', 'B')],
  ];
  for (const [url, body] of attempts) {
    const response = await api.request(stranger.apiKey, 'POST', url, body);
    const shown = `${url}: ${response.status} ${JSON.stringify(response.body)}`;
    expect([400, 404, 422], shown).toContain(response.status);
    expect(JSON.stringify(response.body), shown).not.toContain('treasure');
  }
  const events = await api.request(
    stranger.apiKey,
    'GET',
    `/api/events?organization_id=${owner.organizationId}`,
  );
  expect(events.status).toBe(403);
});

test('and the owner still has all of it', async () => {
  for (const [, parameters] of ids) expect(Object.values(parameters).every(Boolean)).toBe(true);
  for (const url of ['/api/connections', '/api/models', '/api/syncs', '/api/bulk/syncs', '/api/webhooks']) {
    const response = await api.request(owner.apiKey, 'GET', url);
    expect((response.body as { data: unknown[] }).data.length, url).toBeGreaterThan(0);
  }
});

async function createOne(): Promise<void> {
  const post = async (url: string, body: object) => {
    const response = await api.request(owner.apiKey, 'POST', url, body);
    if (response.status !== 200) throw new Error(`${url}: ${JSON.stringify(response.body)}`);
    return (response.body as { data: { id: string } }).data.id;
  };
  const configuration = postgresqlConfiguration(shop.url);
  const connection = await post('/api/connections', {
    name: 'Owner shop',
    type: 'postgresql',
    configuration,
  });
  await until(async () => {
    const { body } = await api.request(owner.apiKey, 'GET', `/api/connections/${connection}/schemas/status`);
    return (body as { data: { cache_status: string } }).data.cache_status === 'fresh';
  });
  const table = { table: 'public.secrets' };
  const model = await post('/api/models', {
    name: 'Owner model',
    connection_id: connection,
    configuration: table,
  });
  const sync = await post('/api/syncs', modelSync(model, connection, 'Owner sync'));
  const bulk = await post('/api/bulk/syncs', bulkSync(connection, 'Owner bulk'));
  const webhook = await post('/api/webhooks', { endpoint: 'https://example.com/Owner', secret: 'treasure' });
  const event = await api.database.db.transaction().execute(async (tx) => {
    const appended = await appendEvent(tx, {
      organizationId: owner.organizationId,
      type: 'sync.failed',
      event: { name: 'Owner sync' },
    });
    await enqueueDeliveries(tx, appended);
    return appended.id;
  });
  const deliveries = await api.request(owner.apiKey, 'GET', `/api/webhooks/${webhook}/event-deliveries`);
  const [delivery] = (deliveries.body as { data: { id: string }[] }).data;
  const run = (kind: 'model' | 'bulk', syncId: string) =>
    startExecution(api.deps, {
      organizationId: owner.organizationId,
      kind,
      syncId,
      trigger: 'manual',
      options: {},
      subject: { sync_name: 'Owner sync', target_connection_id: connection },
    });
  const execution = (await run('model', sync)).id;
  const bulkExecution = (await run('bulk', bulk)).id;
  const [type, filename, property, field_id] = ['records', 'log1-1.json', 'name', 'value'];
  const schema_id = 'public.secrets';
  const schedules = await api.request(owner.apiKey, 'GET', `/api/bulk/syncs/${bulk}/schedules`);
  const [schedule] = (schedules.body as { data: { id: string }[] }).data;
  const schedule_id = schedule?.id ?? '';
  const keys = await api.request(owner.apiKey, 'GET', `/api/organization/users/${owner.userId}/keys`);
  const key_id = (keys.body as { data: { id: string }[] }).data[0]?.id ?? '';
  ids = [
    [/^\/api\/bulk\/(source|dest)/, { id: connection }],
    [/^\/api\/bulk\/syncs\/:sync_id/, { sync_id: bulk, execution_id: bulkExecution, schema_id, schedule_id }],
    [/^\/api\/bulk/, { id: bulk, exec_id: bulkExecution, execution_id: bulkExecution, schema_id }],
    [/^\/api\/connections\/:connection_id/, { connection_id: connection, schema_id, field_id }],
    [/^\/api\/connections/, { id: connection, schema_id, property, connection_id: connection }],
    [/^\/api\/enrichment/, { connection_id: connection }],
    [/^\/api\/models/, { id: model }],
    [/^\/api\/syncs\/:id/, { id: sync }],
    [/^\/api\/syncs/, { sync_id: sync, id: execution, type, filename }],
    [/^\/api\/webhooks/, { id: webhook, delivery_id: delivery?.id ?? '' }],
    [/^\/api\/events/, { id: event }],
    [/^\/api\/organization\/users/, { id: owner.userId, key_id }],
    [/^\/api\/jobs/, { type: 'createmodel', id: execution }],
    [/^\/api\/(queries|entities|permissions)/, { id: execution }],
  ];
}

function modelSync(model: string, connection: string, name: string): object {
  return {
    name,
    mode: 'updateOrCreate',
    schedule: { frequency: 'manual' },
    identity: { source: { model_id: model, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source: { model_id: model, field: 'value' }, target: 'value' }],
    target: { connection_id: connection, object: 'public.secrets' },
  };
}

function bulkSync(connection: string, name: string): object {
  return {
    name,
    mode: 'replicate',
    default_schedule: { frequency: 'manual' },
    source_connection_id: connection,
    destination_connection_id: connection,
    destination_configuration: { schema: 'copy' },
  };
}

/** Enough for validation to let it through to the question whose it is. */
function bodyFor(url: string): object {
  const [connection, model] = ['/api/connections/:id', '/api/models/:id'].map(
    (path) => ids.find(([pattern]) => pattern.test(path))?.[1].id ?? '',
  );
  if (url.endsWith('/activate')) return { active: true };
  if (url.includes('/schedules')) return { schedule: { frequency: 'hourly' } };
  if (url === '/api/syncs/:sync_id/executions/:id') return { status: 'canceled' };
  if (url.endsWith('/primary_keys')) return { fields: [] };
  if (url.startsWith('/api/connections')) return { name: 'x', configuration: {} };
  if (url.startsWith('/api/models'))
    return { name: 'x', connection_id: connection, configuration: { table: 'x' } };
  if (url.endsWith('/recover')) return { since: '2020-01-01T00:00:00Z' };
  if (url.startsWith('/api/webhooks')) return { endpoint: 'https://example.com', secret: 'x' };
  if (url === '/api/syncs/:id') return modelSync(model ?? '', connection ?? '', 'x');
  if (url === '/api/bulk/syncs/:id') return bulkSync(connection ?? '', 'x');
  return {};
}
