import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkHarness, bulkHarness } from '../../../test/support/bulk-syncs.ts';
import { createDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { type App, buildApp } from '../index.ts';

let harness: BulkHarness;
let app: App;
let shop: TestDatabase;
let warehouse: TestDatabase;
let ids: { source: string; destination: string };

beforeAll(async () => {
  harness = await bulkHarness();
  app = buildApp({
    ...harness,
    log: pino({ level: 'silent' }),
    publicUrl: 'http://127.0.0.1:8080',
    partnerKey: undefined,
    eventRetention: 48 * 3_600_000,
    recordLogFolder: '/nonexistent',
  });
  [shop, warehouse] = [await createDatabase(), await createDatabase()];
  await shop.query(`
    create table users (id int primary key, "firstName" text, email text); insert into users select i, 'n' || i, null from generate_series(1, 10) i;
    create table orders (id int primary key, total numeric); insert into orders values (1, 9.99)`);
  ids = { source: await harness.connect(shop), destination: await harness.connect(warehouse) };
});

afterAll(async () => {
  await app.close();
  await shop[Symbol.asyncDispose]();
  await warehouse[Symbol.asyncDispose]();
  await harness[Symbol.asyncDispose]();
});

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

async function call(method: Method, url: string, body?: object, version?: string) {
  const response = await app.inject({
    method,
    url: `/api${url}`,
    headers: {
      authorization: `Bearer ${harness.apiKey}`,
      ...(version === undefined ? {} : { 'x-polytomic-version': version }),
    },
    ...(body === undefined ? {} : { payload: body }),
  });
  const json = response.body === '' ? undefined : response.json();
  return { status: response.statusCode, body: json, data: json?.data };
}

const request = (more: object = {}) => ({
  name: 'Shop to warehouse',
  source_connection_id: ids.source,
  destination_connection_id: ids.destination,
  destination_configuration: { schema: 'replica' },
  ...more,
});

/** Made anew for each test, so that none depends on another. */
async function create(more: object = {}): Promise<string> {
  const { data, status, body } = await call('POST', '/bulk/syncs', request(more));
  expect(status, JSON.stringify(body)).toBe(200);
  return data.id;
}

const older = '2024-02-08';
const current = '2025-09-18';

test('defaults, and the form of the caller’s generation', async () => {
  const either = await call('POST', '/bulk/syncs', request());
  expect(either.data).toEqual({
    id: expect.any(String),
    organization_id: harness.organizationId,
    name: 'Shop to warehouse',
    mode: 'replicate',
    active: false,
    source_connection_id: ids.source,
    source_configuration: {},
    destination_connection_id: ids.destination,
    destination_configuration: { schema: 'replica' },
    default_schedule: { id: expect.any(String), frequency: 'manual' },
    additional_schedules: [],
    schedule: { frequency: 'manual' },
    discover: false,
    automatically_add_new_objects: 'none',
    automatically_add_new_fields: 'all',
    normalize_names: 'enabled',
    concurrency_limit: null,
    resync_concurrency_limit: null,
    data_cutoff_timestamp: null,
    disable_record_timestamps: false,
    policies: [],
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    created_by: harness.actor,
    updated_at: expect.any(String),
    updated_by: harness.actor,
  });
  const { id } = either.data;
  const before = (await call('GET', `/bulk/syncs/${id}`, undefined, older)).data;
  expect(before).toMatchObject({ schedule: { frequency: 'manual' }, discover: false });
  expect(before).not.toHaveProperty('default_schedule');
  const now = (await call('GET', `/bulk/syncs/${id}`, undefined, current)).data;
  expect(now).toMatchObject({ default_schedule: { frequency: 'manual' }, additional_schedules: [] });
  expect(now).not.toHaveProperty('schedule');
  expect(now).not.toHaveProperty('discover');
});

test('each generation writes in its own words', async () => {
  const schedule = { frequency: 'daily', hour: '05', minute: '00' };
  const before = await call('POST', '/bulk/syncs', request({ schedule, discover: true }), older);
  expect(before.data).toMatchObject({ schedule, discover: true, automatically_add_new_objects: 'all' });
  const additional = {
    frequency: 'weekly',
    day_of_week: 'monday',
    resync_mode: 'rebuild',
    schemas: ['public.users'],
  };
  const now = await call(
    'POST',
    '/bulk/syncs',
    request({ default_schedule: schedule, additional_schedules: [additional], mode: 'snapshot' }),
    current,
  );
  expect(now.data).toMatchObject({
    default_schedule: schedule,
    additional_schedules: [additional],
    mode: 'snapshot',
  });
  const wrong = await call('POST', '/bulk/syncs', request({ schedule }), current);
  expect(wrong.body).toMatchObject({
    status: 400,
    key: 'invalid_field',
    metadata: { field: 'default_schedule' },
  });
  const missing = await call('POST', '/bulk/syncs', request({ default_schedule: schedule }), older);
  expect(missing.body).toMatchObject({ status: 400, metadata: { field: 'schedule' } });
});

test('an update replaces everything but the selection of schemas', async () => {
  const id = await create({ schemas: ['public.users'], normalize_names: 'disabled', concurrency_limit: 3 });
  const schedule = (await call('GET', `/bulk/syncs/${id}`)).data.default_schedule;
  const { data } = await call(
    'PUT',
    `/bulk/syncs/${id}`,
    request({ name: 'Renamed', schemas: ['public.orders'] }),
  );
  expect(data).toMatchObject({ name: 'Renamed', normalize_names: 'enabled', concurrency_limit: null });
  expect(data.default_schedule).toEqual(schedule);
  const schemas = (await call('GET', `/bulk/syncs/${id}/schemas`)).data;
  expect(schemas.map((schema: { id: string }) => schema.id)).toEqual(['public.users']);
});

test('names the field that is wrong', async () => {
  const unknown = crypto.randomUUID();
  for (const [change, field, words] of [
    [{ source_connection_id: unknown }, 'source_connection_id', 'no connection with id'],
    [{ destination_connection_id: 'x' }, 'destination_connection_id', 'no connection with id'],
    [{ schemas: ['public.nope'] }, 'schemas', 'public.nope is no schema'],
    [
      { schemas: [{ id: 'public.users', fields: ['nope'] }] },
      'schemas.public.users.fields',
      'nope is no field',
    ],
    [{ mode: 'append' }, 'mode', 'must'],
    [{ destination_configuration: { schema: 5 } }, 'destination_configuration.schema', 'must'],
    [
      { destination_configuration: { schema: 'é'.repeat(32) } },
      'destination_configuration.schema',
      'longer than 63',
    ],
    [{ data_cutoff_timestamp: 'soon' }, 'data_cutoff_timestamp', 'no RFC 3339 time'],
    [{ name: undefined }, 'name', 'required'],
  ] as const) {
    const { body } = await call('POST', '/bulk/syncs', request(change));
    expect(body).toMatchObject({ status: 400, key: 'invalid_field', metadata: { field } });
    expect(body.message).toContain(words);
  }
  const hook = await call('POST', '/connections', {
    name: 'hook',
    type: 'webhook',
    configuration: { url: 'https://example.com/hook' },
    validate: false,
  });
  const { body } = await call('POST', '/bulk/syncs', request({ destination_connection_id: hook.data.id }));
  expect(body.message).toContain('a webhook connection cannot be the destination of a bulk sync');
});

test('schemas: list, filter, get, put, patch', async () => {
  const id = await create();
  const schemas = `/bulk/syncs/${id}/schemas`;
  expect((await call('GET', schemas)).data).toEqual([
    {
      id: 'public.orders',
      enabled: true,
      output_name: 'orders',
      user_output_name: '',
      tracking_field: '',
      partition_key: '',
      data_cutoff_timestamp: null,
      disable_data_cutoff: false,
    },
    expect.objectContaining({ id: 'public.users' }),
  ]);
  const put = await call('PUT', `${schemas}/public.users`, {
    enabled: false,
    user_output_name: 'People',
    fields: [{ id: 'id' }, { id: 'firstName', obfuscated: true, user_output_name: 'Given' }],
  });
  const fields = [
    { id: 'id', enabled: true, obfuscated: false, output_name: 'id', user_output_name: '' },
    { id: 'firstName', enabled: true, obfuscated: true, output_name: 'Given', user_output_name: 'Given' },
    { id: 'email', enabled: false, obfuscated: false, output_name: 'email', user_output_name: '' },
  ];
  expect(put.data).toMatchObject({ enabled: false, output_name: 'People', filters: [], fields });
  expect((await call('GET', `${schemas}/public.users`)).data).toEqual(put.data);
  const enabled = await call('GET', `${schemas}?filters=${encodeURIComponent('{"enabled":"true"}')}`);
  expect(enabled.data.map((schema: { id: string }) => schema.id)).toEqual(['public.orders']);
  expect((await call('GET', `${schemas}?filters=nonsense`)).body).toMatchObject({ status: 400 });

  const patched = await call('PATCH', schemas, { schemas: [{ id: 'public.users', enabled: true }] });
  // No list of fields means every field; what was obfuscated stays so.
  expect(patched.data).toMatchObject([
    {
      enabled: true,
      output_name: 'People',
      fields: [{ enabled: true }, { enabled: true, obfuscated: true }, { enabled: true }],
    },
  ]);
  expect((await call('PATCH', schemas, { schemas: [{ id: 'public.nope' }] })).status).toBe(404);
  expect((await call('GET', `${schemas}/public.nope`)).status).toBe(404);
});

test('what a connection offers', async () => {
  await create();
  const source = await call('GET', `/connections/${ids.source}/bulksync/source`);
  expect(source.data.schemas).toMatchObject([
    {
      id: 'public.orders',
      fields: [
        { id: 'id', is_primary_key: true },
        { id: 'total', remote_type: 'numeric' },
      ],
    },
    { id: 'public.users' },
  ]);
  const light = await call('GET', `/connections/${ids.source}/bulksync/source?include_fields=false`);
  expect(light.data.schemas[0]).toEqual({ id: 'public.orders', name: expect.any(String) });
  const target = await call('GET', `/connections/${ids.destination}/bulksync/target`);
  expect(target.data.modes.map((mode: { id: string }) => mode.id)).toEqual(['replicate', 'snapshot']);
  expect(target.data.configuration).toHaveProperty('advanced.items.table_prefix');
  expect((await call('GET', '/connections/nope/bulksync/target')).status).toBe(404);
});

test('an execution from start to end: shapes, status, paging, console', async () => {
  const id = await create({ destination_configuration: { schema: 'ends' } });
  expect((await call('GET', `/bulk/syncs/${id}/status`)).data).toEqual({ next_execution_time: null });
  const started = await call('POST', `/bulk/syncs/${id}/executions`);
  expect(started.data).toMatchObject({
    status: 'scheduled',
    type: 'manual',
    is_partial: false,
    is_resync: false,
    is_test: false,
    record_count: 0,
    completed_at: null,
    schemas: [
      { schema: 'public.orders', output_name: 'orders', status: 'created' },
      { schema: 'public.users' },
    ],
  });
  const again = await call('POST', `/bulk/syncs/${id}/executions`, {});
  expect(again.body).toMatchObject({ status: 409, key: 'execution_running' });
  expect((await call('GET', `/bulk/syncs/${id}/status`)).data.current_execution.id).toBe(started.data.id);
  await harness.run(started.data.id);

  const path = `/bulk/syncs/${id}/executions/${started.data.id}`;
  const done = (await call('GET', path)).data;
  expect(done).toMatchObject({
    status: 'completed',
    record_count: 11,
    error_count: 0,
    output_disposition: 'rebuild',
  });
  expect(done.schemas).toMatchObject([
    { schema: 'public.orders', status: 'completed', record_count: 1, completed_at: expect.any(String) },
    { schema: 'public.users', status: 'completed', record_count: 10 },
  ]);
  expect(await warehouse.query('select first_name from ends.users where id = 3')).toEqual([
    { first_name: 'n3' },
  ]);
  const status = (await call('GET', `/bulk/syncs/${id}/status`)).data;
  expect(status.current_execution).toBeUndefined();
  expect(status.last_execution).toEqual(done);

  const second = (
    await call('POST', `/bulk/syncs/${id}/executions`, { schemas: ['public.users'], resync: true }, older)
  ).data;
  expect(second).toMatchObject({ is_partial: true, is_resync: true, schemas: [{ schema: 'public.users' }] });
  const first = await call('GET', `/bulk/syncs/${id}/executions?limit=1`);
  expect(first.data.map((one: { id: string }) => one.id)).toEqual([second.id]);
  const token = first.body.pagination.next_page_token;
  const next = await call('GET', `/bulk/syncs/${id}/executions?limit=1&page_token=${token}`);
  expect(next.data).toEqual([done]);
  expect(next.body.pagination).toEqual({});

  const [line] = (await call('GET', `${path}/consolelog`)).data.entries;
  expect(line).toMatchObject({ level: 'info', message: 'Schemas to do: 2', timestamp: expect.any(String) });
  const ofSchema = (await call('GET', `${path}/schemas/public.users/consolelog`)).data.entries;
  expect(ofSchema.map(({ message }: { message: string }) => message)).toEqual([
    expect.stringMatching(/^Loading .* records with 3 fields into ends\.users$/),
    expect.stringMatching(/^Completed: 10 records/),
  ]);
  expect((await call('GET', `${path}/logs`)).data).toEqual({ URLs: [], Expires: null });

  const list = await call('GET', `/bulk/syncs/status?sync_id=${id}`);
  expect(list.data).toEqual([
    {
      sync_id: id,
      status: 'scheduled',
      nextExecutionTime: null,
      schemas: [
        expect.objectContaining({ schema: 'public.orders', status: 'completed', execution_id: done.id }),
        expect.objectContaining({ schema: 'public.users', status: 'created', execution_id: second.id }),
      ],
    },
  ]);
  expect((await call('GET', `/bulk/syncs/status?sync_id=${crypto.randomUUID()}`)).status).toBe(404);

  const canceled = await call('POST', `/bulk/syncs/${id}/executions/${second.id}/cancel`);
  expect(canceled.data.message).toContain('canceled');
  expect((await call('GET', `/bulk/syncs/${id}/executions/${second.id}`)).data).toMatchObject({
    status: 'canceled',
    schemas: [{ status: 'canceled' }],
  });
});

test('turning a sync off cancels what runs; deleting it deletes its history', async () => {
  const id = await create();
  expect((await call('POST', `/bulk/syncs/${id}/activate`, { active: true })).data).toEqual({
    id,
    active: true,
  });
  const { data } = await call('POST', `/bulk/syncs/${id}/executions`);
  expect((await call('GET', '/bulk/syncs?active=true')).data.map((sync: { id: string }) => sync.id)).toEqual([
    id,
  ]);
  await call('POST', `/bulk/syncs/${id}/activate`, { active: false });
  expect((await call('GET', `/bulk/syncs/${id}/executions/${data.id}`)).data.status).toBe('canceled');
  expect((await call('POST', `/bulk/syncs/${id}/cancel`)).data).toEqual({ message: 'nothing is running' });
  const removed = await call('DELETE', `/bulk/syncs/${id}?refresh_schemas=true`);
  expect(removed).toMatchObject({ status: 200, body: undefined });
  expect((await call('GET', `/bulk/syncs/${id}`)).status).toBe(404);
  expect((await call('GET', `/bulk/syncs/${id}/executions/${data.id}`)).status).toBe(404);
});

test('starts are refused with a reason', async () => {
  const id = await create();
  const start = (body: object) => call('POST', `/bulk/syncs/${id}/executions`, body);
  expect((await start({ schemas: ['public.nope'] })).body.message).toContain(
    'public.nope is no schema of this bulk sync',
  );
  expect((await start({ test: true, resync_mode: 'rebuild' })).body).toMatchObject({ status: 400 });
  expect((await start({ resync_mode: 'everything' })).body).toMatchObject({ status: 400 });
  await call('PATCH', `/bulk/syncs/${id}/schemas`, {
    schemas: [
      { id: 'public.users', enabled: false },
      { id: 'public.orders', enabled: false },
    ],
  });
  expect((await start({})).body.message).toContain('No schema of this bulk sync is enabled');
});

test('ids that are no UUID, or of nothing, are not found', async () => {
  for (const id of ['id', crypto.randomUUID()]) {
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/status'],
      ['POST', '/cancel'],
      ['POST', '/executions'],
      ['GET', '/executions'],
      ['GET', '/executions/x'],
      ['POST', '/executions/x/cancel'],
      ['GET', '/executions/x/consolelog'],
      ['GET', '/executions/x/logs'],
      ['GET', '/schemas'],
      ['GET', '/schemas/public.users'],
    ] as const) {
      const { body } = await call(method, `/bulk/syncs/${id}${path}`);
      expect(body, `${method} ${path}`).toMatchObject({ status: 404, key: 'not_found' });
    }
    expect((await call('PUT', `/bulk/syncs/${id}`, request())).status).toBe(404);
    expect((await call('POST', `/bulk/syncs/${id}/activate`, { active: true })).status).toBe(404);
  }
});

test('create waits for schemas, or says why it cannot', async () => {
  const empty = await createDatabase();
  try {
    const { body } = await call(
      'POST',
      '/bulk/syncs',
      request({ source_connection_id: await harness.connect(empty) }),
    );
    expect(body).toMatchObject({ status: 400, key: 'no_schemas' });
  } finally {
    await empty[Symbol.asyncDispose]();
  }
});
