/**
 * The official npm client, unmodified, against a running server: from creating connections to reading
 * events and record logs. What it can call here is what its users can move over.
 */

import { createHmac } from 'node:crypto';
import type { PolytomicClient } from 'polytomic';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentHash } from '../support/content-hash.ts';
import type { TestDatabase } from '../support/database.ts';
import { type ClientWorld, startClientWorld } from '../support/polytomic-client.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

const secret = 'a secret of the webhook';

let world: ClientWorld;
let shop: TestDatabase;
let warehouse: TestDatabase;
let receiver: Receiver;
let client: PolytomicClient;
/** Ids made by earlier tests: they tell one story, in order. */
const ids = { shop: '', warehouse: '', hook: '', model: '', sync: '', bulk: '', webhook: '' };

beforeAll(async () => {
  [world, receiver] = await Promise.all([startClientWorld(), startReceiver()]);
  ({ client, source: shop, target: warehouse } = world);
  await shop.query(`
    create table customers (id bigint primary key, email text not null, credit numeric(30, 10),
      joined timestamptz, tags text[], profile jsonb);
    insert into customers
    select 9007199254740993 + n, 'customer' || n || '@example.com', n * 1.0000000001,
      timestamptz '2024-02-29 23:59:59.999999+00' + n * interval '1 second', array['a,b', null, '"' || n],
      jsonb_build_object('n', n, 'big', 18014398509481982123)
    from generate_series(1, 500) n;
    create table orders (id uuid primary key default gen_random_uuid(), customer_id bigint, total numeric);
    insert into orders (customer_id, total) select 9007199254740993 + n, 'NaN' from generate_series(1, 100) n;`);
  await warehouse.query(`
    create schema crm;
    create table crm.contacts (contact_id bigint primary key, email text check (email not like '%refused%'),
      credit numeric, joined timestamptz, tags text[], profile jsonb);`);
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await receiver?.close();
});

test('identity and the catalogue of connection types', async () => {
  const me = await client.identity.get();
  expect(me.data).toMatchObject({ is_user: true, is_partner: false, organization_name: expect.any(String) });
  const types = (await client.connections.getTypes()).data ?? [];
  expect(types.map((type) => type.id)).toEqual(expect.arrayContaining(['postgresql', 'webhook']));
  const schema = await client.connections.getConnectionTypeSchema('postgresql');
  expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining(['hostname', 'database']));
});

test('connections: create, test, get, list, update; secrets come back masked', async () => {
  ids.shop = await world.connection('shop', shop);
  ids.warehouse = await world.connection('warehouse', warehouse);
  const hook = await client.connections.create({
    name: 'custom webhook',
    type: 'webhook',
    configuration: {
      url: `${receiver.url}/records`,
      auth_method: 'header',
      header: { name: 'x-key', value: 'k' },
    },
  });
  ids.hook = hook.data?.id ?? '';

  const read = await client.connections.get(ids.shop);
  expect(read.data?.status).toBe('healthy');
  expect(JSON.stringify(read)).not.toContain(new URL(shop.url).password);
  await client.connections.testConnection({ type: 'postgresql', connection_id: ids.shop, configuration: {} });
  const updated = await client.connections.update(ids.shop, {
    name: 'the shop',
    // As read: the mask means unchanged.
    configuration: read.data?.configuration ?? {},
  });
  expect(updated.data?.name).toBe('the shop');
  const names = (await client.connections.list()).data?.map((one) => one.name);
  expect(names).toEqual(expect.arrayContaining(['the shop', 'warehouse', 'custom webhook']));
});

test('the schema cache', async () => {
  await client.schemas.refresh(ids.shop);
  await until(async () => (await client.schemas.getStatus(ids.shop)).data?.cache_status === 'fresh');
  const schema = await client.schemas.get(ids.shop, 'public.customers');
  expect(schema.data?.fields?.map((field) => field.id)).toEqual([
    'id',
    'email',
    'credit',
    'joined',
    'tags',
    'profile',
  ]);
  const records = await client.schemas.getRecords(ids.shop, 'public.customers');
  expect(records.data?.length).toBeGreaterThan(0);
});

test('models: source, preview, create, get, list, update, sample', async () => {
  const source = await client.modelSync.getSource(ids.shop);
  expect(source.data?.requires_one_of).toEqual(expect.arrayContaining(['table', 'query']));
  const fields = await client.modelSync.getSourceFields(ids.shop, {
    params: { table: ['public.customers'] },
  });
  expect(fields.data?.map((field) => field.name)).toContain('email');

  const body = {
    name: 'Customers',
    connection_id: ids.shop,
    configuration: { table: 'public.customers' },
    identifier: 'id',
  };
  const preview = await client.models.preview({ body });
  expect(preview.data?.fields?.length).toBe(6);
  const created = await client.models.create({ body });
  ids.model = created.data?.id ?? '';
  const updated = await client.models.update(ids.model, { ...body, name: 'Shop customers' });
  expect(updated.data?.name).toBe('Shop customers');
  expect((await client.models.get(ids.model)).data?.identifier).toBe('id');
  expect((await client.models.list()).data?.length).toBe(1);
  const sample = await client.models.sample(ids.model);
  expect(sample.data?.records?.length).toBeGreaterThan(0);
});

test('webhooks: all seven operations', async () => {
  const made = await client.webhooks.create({ endpoint: `${receiver.url}/first`, secret: 'first' });
  ids.webhook = made.data?.id ?? '';
  await client.webhooks.update(ids.webhook, { endpoint: `${receiver.url}/events`, secret });
  expect((await client.webhooks.disable(ids.webhook)).data?.disabled).toBe(true);
  expect((await client.webhooks.enable(ids.webhook)).data?.disabled).toBe(false);
  expect((await client.webhooks.get(ids.webhook)).data?.endpoint).toBe(`${receiver.url}/events`);
  expect((await client.webhooks.list()).data?.length).toBe(1);
});

test('a model sync: targets, create, list, get, update, activate', async () => {
  const targets = await client.modelSync.targets.list(ids.warehouse);
  expect(targets.data?.map((target) => target.id)).toContain('crm.contacts');
  const fields = await client.modelSync.targets.getTargetFields(ids.warehouse, { target: 'crm.contacts' });
  expect(fields.data?.fields?.map((field) => field.id)).toContain('contact_id');

  const request = {
    name: 'Customers to CRM',
    mode: 'updateOrCreate' as const,
    schedule: { frequency: 'manual' as const },
    identity: {
      source: { model_id: ids.model, field: 'id' },
      target: 'contact_id',
      function: 'Equality' as const,
    },
    fields: ['email', 'credit', 'joined', 'tags', 'profile'].map((field) => ({
      source: { model_id: ids.model, field },
      target: field,
    })),
    target: { connection_id: ids.warehouse, object: 'crm.contacts' },
  };
  ids.sync = (await client.modelSync.create(request)).data?.id ?? '';
  await client.modelSync.update(ids.sync, { ...request, name: 'Contacts' });
  expect((await client.modelSync.get(ids.sync)).data).toMatchObject({
    name: 'Contacts',
    mode: 'updateOrCreate',
  });
  expect((await client.modelSync.list()).data?.map((sync) => sync.id)).toEqual([ids.sync]);
  expect((await client.modelSync.activate(ids.sync, { active: true })).data?.active).toBe(true);
  expect((await client.modelSync.getScheduleOptions()).data?.schedule_options?.length).toBeGreaterThan(0);
});

test('its first execution inserts every record, exactly', async () => {
  const execution = await runModelSync();
  expect(execution).toMatchObject({
    status: 'completed',
    counts: { total: 500, insert: 500, update: 0, error: 0 },
  });
  const from = 'select id, email, credit, joined, tags, profile from customers order by id';
  const to = 'select contact_id as id, email, credit, joined, tags, profile from crm.contacts order by 1';
  expect(await digest(warehouse, to)).toBe(await digest(shop, from));

  const urls = (await client.modelSync.executions.getLogUrls(ids.sync, execution.id ?? '', 'inserts')).data
    ?.urls;
  const logs = await Promise.all(
    (urls ?? []).map(async (url) => (await fetch(url)).json() as Promise<unknown[]>),
  );
  expect(logs.flat().length).toBe(500);
});

test('the second sends changes only; a refused record fails alone, with its reason', async () => {
  await shop.query(`update customers set email = 'new@example.com' where id = 9007199254740994;
    update customers set email = 'refused@example.com' where id = 9007199254740995;`);
  const execution = await runModelSync();
  expect(execution.counts).toMatchObject({ insert: 0, update: 1, error: 1 });
  const executions = await client.modelSync.executions.list(ids.sync);
  expect(executions.data?.map((one) => one.id)).toContain(execution.id);
  const urls = (await client.modelSync.executions.getLogUrls(ids.sync, execution.id ?? '', 'errors')).data
    ?.urls;
  const [filename = ''] = (urls ?? []).map((url) => new URL(url).pathname.split('/').at(-1) ?? '');
  // Void in the client's types: what counts is that it gets through with its own credential.
  await client.modelSync.executions.getLogs(ids.sync, execution.id ?? '', 'errors', filename);
  const errors = (await (await fetch(urls?.[0] ?? '')).json()) as object[];
  expect(errors.length).toBe(1);
  expect(JSON.stringify(errors)).toMatch(/contacts_email_check/);
});

test('a model sync to a custom webhook', async () => {
  const sync = await client.modelSync.create({
    name: 'Customers to a webhook',
    mode: 'updateOrCreate',
    active: true,
    schedule: { frequency: 'manual' },
    identity: { source: { model_id: ids.model, field: 'id' }, target: 'record', function: 'Equality' },
    fields: [{ source: { model_id: ids.model, field: 'email' }, target: 'record' }],
    target: { connection_id: ids.hook, object: 'http' },
  });
  const id = sync.data?.id ?? '';
  const started = await client.modelSync.start(id);
  await until(async () => {
    const { data } = await client.modelSync.executions.get(id, started.data?.id ?? '');
    return data?.status === 'completed';
  });
  const bodies = receiver.requests
    .filter((one) => one.url === '/records')
    .map((one) => JSON.parse(one.body.toString()));
  const records = bodies.flatMap((body: { object: { records: object[] } }) => body.object.records);
  expect(bodies[0]).toMatchObject({ event: 'sync.records', object: { id, name: 'Customers to a webhook' } });
  expect(records.length).toBe(500);
});

test('a bulk sync: source, target, create, schemas, run, status, executions', async () => {
  const source = await client.bulkSync.getSource(ids.shop);
  expect(source.data?.schemas?.map((schema) => schema.id)).toEqual(
    expect.arrayContaining(['public.customers', 'public.orders']),
  );
  expect((await client.bulkSync.getDestination(ids.warehouse)).data?.modes?.map((mode) => mode.id)).toContain(
    'replicate',
  );
  const request = {
    name: 'Shop to warehouse',
    mode: 'replicate' as const,
    schedule: { frequency: 'manual' as const },
    source_connection_id: ids.shop,
    destination_connection_id: ids.warehouse,
    destination_configuration: { schema: 'replica' },
  };
  const created = await client.bulkSync.create(request);
  ids.bulk = created.data?.id ?? '';
  expect(created.data?.schedule?.frequency).toBe('manual');
  await client.bulkSync.update(ids.bulk, { ...request, name: 'Replica' });
  await client.bulkSync.activate(ids.bulk, { active: true });
  expect((await client.bulkSync.get(ids.bulk)).data).toMatchObject({ name: 'Replica', active: true });
  expect((await client.bulkSync.list()).data?.length).toBe(1);
  expect((await client.bulkSync.schemas.list(ids.bulk)).data?.map((schema) => schema.id)).toEqual(
    expect.arrayContaining(['public.customers', 'public.orders']),
  );
  await client.bulkSync.schemas.update(ids.bulk, 'public.orders', {
    enabled: true,
    user_output_name: 'purchases',
  });
  await client.bulkSync.schemas.patch(ids.bulk, { schemas: [{ id: 'public.customers', enabled: true }] });
  expect((await client.bulkSync.schemas.get(ids.bulk, 'public.orders')).data?.user_output_name).toBe(
    'purchases',
  );

  const started = await client.bulkSync.start(ids.bulk);
  const execution = await until(async () => {
    const { data } = await client.bulkSync.executions.get(ids.bulk, started.data?.id ?? '');
    return data?.completed_at ? data : undefined;
  });
  expect(execution).toMatchObject({ status: 'completed', record_count: 600 });
  expect((await client.bulkSync.getStatus(ids.bulk)).data?.last_execution?.id).toBe(execution.id);
  expect((await client.bulkSync.executions.list(ids.bulk)).data?.length).toBe(1);
  const statuses = await client.bulkSync.executions.listStatus({ sync_id: ids.bulk });
  expect(statuses.data?.[0]?.status).toBe('completed');
  for (const [from, to] of [
    ['customers', 'customers'],
    ['orders', 'purchases'],
  ]) {
    expect(await contentHash(warehouse, `replica.${to}`)).toEqual(await contentHash(shop, String(from)));
  }
});

test('every execution was announced: in the events endpoint and by signed webhook, alike', async () => {
  const types = await client.events.getTypes();
  expect(types.data?.length).toBe(10);
  const listed = await until(async () => {
    const { data } = await client.events.list({ limit: 100 });
    return data?.length === 8 ? data : undefined;
  });
  const byType = Map.groupBy(listed, (event) => event.type);
  expect(byType.get('sync.running')?.length).toBe(3);
  expect(byType.get('sync.completed')?.length).toBe(2);
  expect(byType.get('sync.completed_with_errors')?.length).toBe(1);
  expect(byType.get('bulk_sync.running')?.length).toBe(1);
  expect(byType.get('bulk_sync.completed')?.length).toBe(1);

  const deliveries = await until(async () => {
    const got = receiver.requests.filter((one) => one.url === '/events');
    return got.length === 8 ? got : undefined;
  });
  for (const { headers, body } of deliveries) {
    const expected = createHmac('sha256', secret).update(body).digest('hex');
    expect(headers['polytomic-signature']).toBe(expected);
    expect(headers['user-agent']).toMatch(/^Tidemark\//);
  }
  const announced = deliveries.map(
    ({ body }) => JSON.parse(body.toString()) as { type: string; event: unknown },
  );
  for (const { type, event } of listed) expect(announced).toContainEqual({ type, event });
});

test('schedules start syncs: one by the clock, one after that; single schedules are listed, changed, deleted', async () => {
  const after = await client.modelSync.create({
    name: 'After the replica',
    mode: 'updateOrCreate',
    active: true,
    schedule: {
      frequency: 'runafter',
      run_after: { bulk_sync_ids: [ids.bulk] },
      run_after_success_only: true,
    },
    identity: { source: { model_id: ids.model, field: 'id' }, target: 'record', function: 'Equality' },
    fields: [{ source: { model_id: ids.model, field: 'email' }, target: 'record' }],
    target: { connection_id: ids.hook, object: 'http' },
  });
  const { schedules } = client.bulkSync;
  const created = await schedules.create(ids.bulk, { schedule: { frequency: 'continuous' } });
  // The client's type has no id, though its own operations need it.
  const { id = '' } = created.data as { id?: string };
  const { execution_id: execution } = await until(async () => {
    const { data } = await client.events.list({ type: 'bulk_sync.completed', limit: 1 });
    const event = data?.[0]?.event as { trigger_source?: string; execution_id: string } | undefined;
    return event?.trigger_source === 'scheduled' && event;
  });
  expect((await client.bulkSync.executions.get(ids.bulk, execution)).data?.type).toBe('scheduled');
  const next = (await client.bulkSync.getStatus(ids.bulk)).data?.next_execution_time;
  expect(Date.parse(next ?? '')).toBeGreaterThan(Date.now());
  await until(async () => {
    const { data } = await client.events.list({ type: 'sync.completed', limit: 1 });
    const event = data?.[0]?.event as { trigger?: string; sync_id?: string } | undefined;
    return event?.trigger === 'scheduled' && event.sync_id === after.data?.id;
  });

  expect((await schedules.list(ids.bulk)).data?.map((one) => one.isDefault)).toEqual([true, false]);
  const daily = { frequency: 'daily', hour: '05' } as const;
  expect((await schedules.update(ids.bulk, id, { schedule: daily })).data).toMatchObject(daily);
  expect((await schedules.get(ids.bulk, id)).data).toMatchObject(daily);
  await schedules.delete(ids.bulk, id);
  expect((await schedules.list(ids.bulk)).data?.length).toBe(1);
});

test('an execution is canceled as this client does it', async () => {
  // Locked rows keep the run waiting until it is canceled.
  const holder = await warehouse.hold('lock table crm.contacts in access exclusive mode');
  await shop.query('update customers set credit = credit + 1');
  const started = await client.modelSync.start(ids.sync);
  const id = started.data?.id ?? '';
  await until(async () => (await client.modelSync.executions.get(ids.sync, id)).data?.status === 'running');
  await client.modelSync.executions.update(ids.sync, id, { status: 'canceled' });
  await until(async () => (await client.modelSync.executions.get(ids.sync, id)).data?.status === 'canceled');
  await holder.release();
});

test('what is wrong is said; what is deleted is gone', async () => {
  await expect(client.models.get('no-uuid')).rejects.toMatchObject({ statusCode: 404 });
  await expect(client.bulkSync.get(ids.model)).rejects.toMatchObject({ statusCode: 404 });
  await expect(client.connections.remove(ids.shop)).rejects.toMatchObject({ statusCode: 422 });
  await client.modelSync.remove(ids.sync);
  await expect(client.modelSync.get(ids.sync)).rejects.toMatchObject({ statusCode: 404 });
  // A sync runs after it, and this client has no parameter to force it.
  await expect(client.bulkSync.remove(ids.bulk)).rejects.toMatchObject({ statusCode: 422 });
  for (const { id = '', name } of (await client.modelSync.list()).data ?? []) {
    if (name === 'After the replica') await client.modelSync.remove(id);
  }
  await client.bulkSync.remove(ids.bulk);
  await client.webhooks.remove(ids.webhook);
  await client.connections.remove(ids.shop, { force: true });
  await expect(client.models.get(ids.model)).rejects.toMatchObject({ statusCode: 404 });
});

async function runModelSync() {
  const started = await client.modelSync.start(ids.sync);
  return until(async () => {
    const { data } = await client.modelSync.executions.get(ids.sync, started.data?.id ?? '');
    return data?.completed_at ? data : undefined;
  });
}

async function digest(database: TestDatabase, query: string): Promise<string> {
  const rows = await database.query<{ digest: string }>(
    `select coalesce(md5(string_agg(row::text, E'\\n')), 'none') as digest from (${query}) row`,
  );
  return rows[0]?.digest ?? '';
}
