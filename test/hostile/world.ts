import { startTestApp, type TestApp } from '../support/app.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import { until } from '../support/until.ts';
import type { Shape } from './fill.ts';

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  operation: string;
  access: string | undefined;
  query: Shape | undefined;
  body: Shape | undefined;
}

/** An organization with one of everything, over a source with many tables and a wide one, and every route. */
export interface World extends AsyncDisposable {
  api: TestApp;
  routes: Route[];
  /** A route's path with ids of what is there. */
  pathOf(route: Route): string;
  /** Bodies that are valid, by operation. What ends in a digit is counted on. */
  bases: Record<string, object[]>;
  keyOf(route: Route): string;
}

const columns = 400;
const tables = 100;

const columnsOf = (count: number) => Array.from({ length: count }, (_, index) => `c${index} text`).join(', ');

export async function makeWorld(): Promise<World> {
  const routes: Route[] = [];
  const shop = await createDatabase();
  await makeTables(shop);
  const api = await startTestApp((app) => {
    app.addHook('onRoute', ({ method, url, schema, config }) => {
      if (config?.notBuilt || method === 'HEAD') return;
      const { operationId = url, querystring: query, body } = (schema ?? {}) as Record<string, never>;
      routes.push({
        method: method as Route['method'],
        url,
        operation: operationId,
        access: config?.access,
        query,
        body,
      });
    });
  });
  const { apiKey, organizationId, userId } = api.first;
  const post = async (url: string, body: object) => {
    const response = await api.request(apiKey, 'POST', url, body);
    if (response.status !== 200) throw new Error(`${url}: ${JSON.stringify(response.body)}`);
    return (response.body as { data: { id: string } }).data.id;
  };
  const configuration = postgresqlConfiguration(shop.url);
  const connection = await post('/api/connections', { name: 'shop', type: 'postgresql', configuration });
  await until(async () => {
    const { body } = await api.request(apiKey, 'GET', `/api/connections/${connection}/schemas/status`);
    return (body as { data: { cache_status: string } }).data.cache_status === 'fresh';
  });
  const model = (name: string, table = 'public.t1') => ({
    name,
    connection_id: connection,
    configuration: { table },
  });
  const small = await post('/api/models', model('small', 'public.t2'));
  const [modelId, other] = [
    await post('/api/models', model('one')),
    await post('/api/models', model('other')),
  ];
  const source = { model_id: modelId, field: 'c1' };
  const sync = {
    name: 's1',
    mode: 'updateOrCreate',
    schedule: { frequency: 'manual' },
    identity: { source: { ...source, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source, target: 'c1' }],
    target: { connection_id: connection, object: 'public.target' },
  };
  const timed = { frequency: 'custom', minute: '*/7', hour: '1-5', day_of_month: '29', month: 'february' };
  const bulk = {
    name: 'b1',
    source_connection_id: connection,
    destination_connection_id: connection,
    destination_configuration: { schema: 'copy' },
    default_schedule: { frequency: 'manual' },
  };
  const choice = { id: 'public.t1', fields: [{ id: 'c1', user_output_name: 'o1' }] };
  const filter = { field_id: 'c1', function: 'Equality', value: 'a1' };
  const syncId = await post('/api/syncs', sync);
  const bulkId = await post('/api/bulk/syncs', bulk);
  const webhook = { endpoint: 'https://example.com/hook', secret: 'secret' };
  const webhookId = await post('/api/webhooks', webhook);
  const schedules = await api.request(apiKey, 'GET', `/api/bulk/syncs/${bulkId}/schedules`);
  const [schedule] = (schedules.body as { data: { id: string }[] }).data;

  const parameters: [RegExp, Record<string, string>][] = [
    [
      /^\/api\/bulk/,
      { id: bulkId, sync_id: bulkId, schema_id: 'public.t1', schedule_id: schedule?.id ?? '' },
    ],
    [
      /^\/api\/(connections|enrichment)/,
      { id: connection, connection_id: connection, schema_id: 'public.t1' },
    ],
    [/^\/api\/models/, { id: modelId }],
    [/^\/api\/syncs/, { id: syncId, sync_id: syncId, type: 'records' }],
    [/^\/api\/webhooks/, { id: webhookId }],
    [/^\/api\/connection_types/, { id: 'webhook' }],
    [/^\/api\/organization\/users/, { id: userId }],
    [/^\/api\/organizations/, { org_id: organizationId }],
  ];
  const hook = { url: 'http://127.0.0.1:9/', headers: [{ name: 'h1', value: 'v1' }] };
  const related = { from: 'c1', to: { model_id: other, field: 'c1' } };
  const models = [
    model('m1', 'public.t2'),
    { ...model('m1'), identifier: 'c1', additional_fields: [{ name: 'c1.k1', label: 'l1', type: 'string' }] },
    { ...model('m1'), relations: [related], labels: ['c1'], tracking_columns: ['c1'] },
  ];
  const smallSource = { model_id: small, field: 'c1' };
  const syncs = [
    {
      ...sync,
      identity: { source: { ...smallSource, field: 'id' }, target: 'id', function: 'Equality' },
      fields: [{ source: smallSource, target: 'c1' }],
      target: { connection_id: connection, object: 'public.small' },
    },
    sync,
    { ...sync, fields: [{ source, target: 'n1', new: true }] },
    { ...sync, filters: [{ field: source, function: 'Equality', value: 'a1' }] },
    { ...sync, overrides: [{ field: source, function: 'Equality', value: 'a1', override: 'b1' }] },
    { ...sync, fields: [], override_fields: [{ target: 'c1', override_value: 'v1' }] },
    { ...sync, model_filters: { conditions: [{ source, function: 'Equality', value: 'a1' }] } },
    {
      ...sync,
      target_filters: { conditions: [{ field: 'c1', function: 'Equality', value: 'a1' }] },
      mode: 'update',
    },
  ];
  const bulks = [
    { ...bulk, schemas: ['public.t2'] },
    { ...bulk, schemas: [choice], additional_schedules: [{ ...timed, schemas: ['public.t1'] }] },
    { ...bulk, schemas: ['public.t1'], schedule: { frequency: 'manual' } },
    { ...bulk, schemas: [{ ...choice, filters: [filter] }] },
  ];
  const user = { email: 'a1@example.com', role: 'user' };
  const organization = { name: 'o1', sso_domain: 'd1' };
  const http = { name: 'h1', type: 'webhook', validate: false, configuration: hook };
  return {
    api,
    routes,
    bases: {
      'connections.create': [http],
      'connections.update': [{ name: 'shop', configuration, validate: false }],
      'connections.testConnection': [{ type: 'webhook', configuration: hook }],
      'models.create': models,
      'models.preview': [],
      'models.update': models,
      'modelSync.create': syncs,
      'modelSync.update': syncs,
      'modelSync.start': [{ identities: ['c1'] }],
      'bulkSync.create': bulks,
      'bulkSync.update': bulks,
      'bulkSync.schedules.create': [{ schedule: { ...timed, schemas: ['public.t1'] } }],
      'bulkSync.schedules.update': [{ schedule: { frequency: 'manual', schemas: ['public.t1'] } }],
      'bulkSync.schemas.patch': [
        { schemas: [choice] },
        { schemas: [{ id: 'public.t1', filters: [filter] }] },
      ],
      'bulkSync.schemas.update': [{ fields: ['c1'], filters: [filter] }],
      'bulkSync.start': [{ schemas: ['public.t1'] }],
      'schemas.setPrimaryKeys': [{ fields: [{ field_id: 'c1', is_primary_key: true }] }],
      'webhooks.create': [webhook],
      'webhooks.update': [webhook],
      'webhooks.recover': [{ since: '2020-01-01T00:00:00Z' }],
      'organization.create': [organization],
      'organization.update': [organization],
      'users.createCurrentOrgUser': [user],
      'users.updateCurrentOrgUser': [{ email: 'admin@localhost', role: 'admin' }],
      'users.create': [user],
      'modelSync.activate': [{ active: false }],
      'bulkSync.activate': [{ active: false }],
    },
    pathOf({ url }) {
      const known = parameters.find(([path]) => path.test(url))?.[1] ?? {};
      return url.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(known[name] ?? modelId));
    },
    keyOf: ({ access }) => (access?.startsWith('partner') ? api.partnerKey : apiKey),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await shop[Symbol.asyncDispose]();
    },
  };
}

async function makeTables(shop: TestDatabase): Promise<void> {
  await shop.query(`
    create schema copy;
    create table t1 (id int primary key, ${columnsOf(columns)});
    create table small (id int primary key, c0 text, c1 text);
    create table target (id int primary key, ${columnsOf(columns / 2)})`);
  const others = Array.from({ length: tables }, (_, index) => index).filter((index) => index !== 1);
  await shop.query(
    others.map((index) => `create table t${index} (id int primary key, ${columnsOf(3)})`).join(';'),
  );
}
