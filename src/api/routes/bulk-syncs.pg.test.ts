import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkApi, bulkApi } from '../../../test/support/bulk-api.ts';
import { createDatabase } from '../../../test/support/database.ts';

let api: BulkApi;
beforeAll(async () => {
  api = await bulkApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const older = '2024-02-08';
const current = '2025-09-18';

test('defaults, and the form of the caller’s generation', async () => {
  const either = await api.call('POST', '/bulk/syncs', api.request());
  expect(either.data).toEqual({
    id: expect.any(String),
    organization_id: api.harness.organizationId,
    name: 'Shop to warehouse',
    mode: 'replicate',
    active: false,
    source_connection_id: api.ids.source,
    destination_connection_id: api.ids.destination,
    destination_configuration: { schema: 'replica' },
    default_schedule: {
      id: expect.any(String),
      frequency: 'manual',
      created_at: expect.any(String),
      created_by: api.harness.actor,
      updated_at: expect.any(String),
      updated_by: api.harness.actor,
    },
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
    created_by: api.harness.actor,
    updated_at: expect.any(String),
    updated_by: api.harness.actor,
  });
  const { id } = either.data;
  const before = (await api.call('GET', `/bulk/syncs/${id}`, undefined, older)).data;
  expect(before).toMatchObject({ schedule: { frequency: 'manual' }, discover: false });
  expect(before).not.toHaveProperty('default_schedule');
  const now = (await api.call('GET', `/bulk/syncs/${id}`, undefined, current)).data;
  expect(now).toMatchObject({ default_schedule: { frequency: 'manual' }, additional_schedules: [] });
  expect(now).not.toHaveProperty('schedule');
  expect(now).not.toHaveProperty('discover');
});

test('each generation writes in its own words', async () => {
  const schedule = { frequency: 'daily', hour: '05', minute: '00' };
  const before = await api.call('POST', '/bulk/syncs', api.request({ schedule, discover: true }), older);
  expect(before.data).toMatchObject({ schedule, discover: true, automatically_add_new_objects: 'all' });
  const additional = {
    frequency: 'weekly',
    day_of_week: 'monday',
    resync_mode: 'rebuild',
    schemas: ['public.users'],
  };
  const now = await api.call(
    'POST',
    '/bulk/syncs',
    api.request({ default_schedule: schedule, additional_schedules: [additional], mode: 'snapshot' }),
    current,
  );
  expect(now.data).toMatchObject({
    default_schedule: schedule,
    additional_schedules: [additional],
    mode: 'snapshot',
  });
  const wrong = await api.call('POST', '/bulk/syncs', api.request({ schedule }), current);
  expect(wrong.body).toMatchObject({
    status: 400,
    key: 'invalid_field',
    metadata: { field: 'default_schedule' },
  });
  const missing = await api.call('POST', '/bulk/syncs', api.request({ default_schedule: schedule }), older);
  expect(missing.body).toMatchObject({ status: 400, metadata: { field: 'schedule' } });
});

test('an update replaces everything; without schemas the selection stays', async () => {
  const id = await api.create({
    schemas: ['public.users'],
    normalize_names: 'disabled',
    concurrency_limit: 3,
  });
  const schedule = (await api.call('GET', `/bulk/syncs/${id}`)).data.default_schedule;
  const { data } = await api.call('PUT', `/bulk/syncs/${id}`, api.request({ name: 'Renamed' }));
  expect(data).toMatchObject({ name: 'Renamed', normalize_names: 'enabled', concurrency_limit: null });
  expect(data.default_schedule).toEqual(schedule);
  const schemas = (await api.call('GET', `/bulk/syncs/${id}/schemas`)).data;
  expect(schemas.map((schema: { id: string }) => schema.id)).toEqual(['public.users']);
});

test('a limit of 0, which Go clients send for one that is not set, is none', async () => {
  const none = { concurrency_limit: 0, resync_concurrency_limit: 0 };
  const limits = async (more: object) => {
    const { status, data } = await api.call('PUT', `/bulk/syncs/${id}`, api.request(more));
    return [status, data?.concurrency_limit, data?.resync_concurrency_limit];
  };
  const id = await api.create({ name: 'Limits', ...none });
  expect((await api.call('GET', `/bulk/syncs/${id}`)).data).toMatchObject({
    concurrency_limit: null,
    resync_concurrency_limit: null,
  });
  expect(await limits({ concurrency_limit: 2, resync_concurrency_limit: 1 })).toEqual([200, 2, 1]);
  expect(await limits(none)).toEqual([200, null, null]);
  expect(await limits({ concurrency_limit: -1 })).toEqual([400, undefined, undefined]);
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
    [{ mode: 'append' }, 'mode', 'takes'],
    [{ destination_configuration: { schema: 5 } }, 'destination_configuration.schema', 'must'],
    [
      { destination_configuration: { schema: 'é'.repeat(32) } },
      'destination_configuration.schema',
      'longer than 63',
    ],
    [{ data_cutoff_timestamp: 'soon' }, 'data_cutoff_timestamp', 'no RFC 3339 time'],
    [{ name: undefined }, 'name', 'required'],
  ] as const) {
    const { body } = await api.call('POST', '/bulk/syncs', api.request(change));
    expect(body).toMatchObject({ status: 400, key: 'invalid_field', metadata: { field } });
    expect(body.message).toContain(words);
  }
  const hook = await api.call('POST', '/connections', {
    name: 'hook',
    type: 'webhook',
    configuration: { url: 'https://example.com/hook' },
    validate: false,
  });
  const { body } = await api.call(
    'POST',
    '/bulk/syncs',
    api.request({ destination_connection_id: hook.data.id }),
  );
  expect(body.message).toContain('a webhook connection cannot be the destination of a bulk sync');
});

test('schemas: list, filter, get, put, patch', async () => {
  const id = await api.create();
  const schemas = `/bulk/syncs/${id}/schemas`;
  expect((await api.call('GET', schemas)).data).toEqual([
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
  const put = await api.call('PUT', `${schemas}/public.users`, {
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
  expect((await api.call('GET', `${schemas}/public.users`)).data).toEqual(put.data);
  const enabled = await api.call('GET', `${schemas}?filters=${encodeURIComponent('{"enabled":"true"}')}`);
  expect(enabled.data.map((schema: { id: string }) => schema.id)).toEqual(['public.orders']);
  expect((await api.call('GET', `${schemas}?filters=nonsense`)).body).toMatchObject({ status: 400 });

  const patched = await api.call('PATCH', schemas, { schemas: [{ id: 'public.users', enabled: true }] });
  // No list of fields means every field; what was obfuscated stays so.
  expect(patched.data).toMatchObject([
    {
      enabled: true,
      output_name: 'People',
      fields: [{ enabled: true }, { enabled: true, obfuscated: true }, { enabled: true }],
    },
  ]);
  expect((await api.call('PATCH', schemas, { schemas: [{ id: 'public.nope' }] })).status).toBe(404);
  expect((await api.call('GET', `${schemas}/public.nope`)).status).toBe(404);
});

test('filters are checked against the fields of the schema when they are saved', async () => {
  const filters = [
    { field_id: 'id', function: 'GreaterThan', value: '5' },
    { field_id: 'email', function: 'IsNotNull' },
  ];
  const id = await api.create({ schemas: [{ id: 'public.users', filters }] });
  const schemas = `/bulk/syncs/${id}/schemas`;
  expect((await api.call('GET', `${schemas}/public.users`)).data).toMatchObject({ filters });
  const patch = (more: object) => api.call('PATCH', schemas, { schemas: [{ id: 'public.users', ...more }] });
  expect((await patch({ user_output_name: 'people' })).data).toMatchObject([{ filters }]);
  expect((await patch({ filters: null })).data).toMatchObject([{ filters: [] }]);

  const place = 'schemas.public.users.filters.0';
  const refusals: [object, string][] = [
    [
      { field_id: 'nope', function: 'IsNull' },
      `${place}.field_id: "nope" is no field; there are id (number)`,
    ],
    [{ function: 'IsNull' }, `${place}.field_id: is needed`],
    [{ field_id: 'id', function: 'Like' }, `${place}.function: "Like" is no function; there are Equality`],
    [{ field_id: 'id', function: 'True' }, `${place}.function: True does not suit id (number), which takes`],
    [{ field_id: 'id', function: 'Equality', value: 'x' }, `${place}.value: "x" is no number`],
  ];
  for (const [filter, message] of refusals) {
    const refused = await api.call('PUT', `${schemas}/public.users`, { filters: [filter] });
    expect(refused.body).toMatchObject({ status: 400, message: expect.stringContaining(message) });
  }
});

test('what a connection offers', async () => {
  await api.create();
  const source = await api.call('GET', `/connections/${api.ids.source}/bulksync/source`);
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
  const light = await api.call('GET', `/connections/${api.ids.source}/bulksync/source?include_fields=false`);
  expect(light.data.schemas[0]).toEqual({ id: 'public.orders', name: expect.any(String) });
  const target = await api.call('GET', `/connections/${api.ids.destination}/bulksync/target`);
  expect(target.data.modes.map((mode: { id: string }) => mode.id)).toEqual(['replicate', 'snapshot']);
  expect(target.data.configuration).toHaveProperty('advanced.items.table_prefix');
  expect((await api.call('GET', '/connections/nope/bulksync/target')).status).toBe(404);
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
      const { body } = await api.call(method, `/bulk/syncs/${id}${path}`);
      expect(body, `${method} ${path}`).toMatchObject({ status: 404, key: 'not_found' });
    }
    expect((await api.call('PUT', `/bulk/syncs/${id}`, api.request())).status).toBe(404);
    expect((await api.call('POST', `/bulk/syncs/${id}/activate`, { active: true })).status).toBe(404);
  }
});

test('create waits for schemas, or says why it cannot', async () => {
  const empty = await createDatabase();
  try {
    const { body } = await api.call(
      'POST',
      '/bulk/syncs',
      api.request({ source_connection_id: await api.harness.connect(empty) }),
    );
    expect(body).toMatchObject({ status: 400, key: 'no_schemas' });
  } finally {
    await empty[Symbol.asyncDispose]();
  }
});

test('the list is whole unless pages are asked for, and pages repeat and miss nothing', async () => {
  for (let n = 0; n < 3; n++) await api.create();
  const ids = (body: { data: { id: string }[] }) => body.data.map(({ id }) => id);
  const { body: whole } = await api.call('GET', '/bulk/syncs');
  expect(whole.pagination).toBeUndefined();
  const paged: string[] = [];
  for (let token = ''; ; ) {
    const { body } = await api.call('GET', `/bulk/syncs?limit=2${token && `&page_token=${token}`}`);
    paged.push(...ids(body));
    token = body.pagination.next_page_token ?? '';
    if (token === '') break;
  }
  expect(paged).toEqual(ids(whole));
  expect((await api.call('GET', '/bulk/syncs?page_token=x')).status).toBe(400);
});
