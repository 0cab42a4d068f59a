import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkApi, bulkApi } from '../../../test/support/bulk-api.ts';

/** What requests about bulk syncs say is applied or refused by name. */

let api: BulkApi;
beforeAll(async () => {
  api = await bulkApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const enabledOf = async (id: string) =>
  (await api.call('GET', `/bulk/syncs/${id}/schemas`)).data.map((one: { id: string; enabled: boolean }) => [
    one.id,
    one.enabled,
  ]);
const schemaOf = async (id: string, schema: string) =>
  (await api.call('GET', `/bulk/syncs/${id}/schemas/${schema}`)).data;
const refusal = async (...request: Parameters<BulkApi['call']>) => {
  const { status, body } = await api.call(...request);
  return `${status} ${body?.message}`;
};

test('an update applies schemas: those listed as they are described, the others are turned off', async () => {
  const filters = [{ field_id: 'id', function: 'GreaterThan', value: 3 }];
  const id = await api.create({ schemas: [{ id: 'public.users', filters, user_output_name: 'people' }] });
  const update = (more: object) => api.call('PUT', `/bulk/syncs/${id}`, api.request(more));
  const obfuscated = { id: 'public.users', fields: [{ id: 'email', obfuscate: true }, { id: 'id' }] };
  expect((await update({ schemas: [obfuscated, 'public.orders'] })).status).toBe(200);
  expect(await enabledOf(id)).toEqual([
    ['public.orders', true],
    ['public.users', true],
  ]);
  const users = await schemaOf(id, 'public.users');
  expect(users).toMatchObject({ filters, user_output_name: 'people' });
  expect(users.fields).toMatchObject([
    { id: 'id', enabled: true, obfuscated: false },
    { id: 'firstName', enabled: false },
    { id: 'email', enabled: true, obfuscated: true },
  ]);
  expect((await update({ schemas: ['public.users'] })).status).toBe(200);
  expect(await enabledOf(id)).toEqual([
    ['public.orders', false],
    ['public.users', true],
  ]);
  // By its id alone nothing is said of it; left out or empty, nothing of the selection.
  expect(await schemaOf(id, 'public.users')).toEqual(users);
  for (const more of [{}, { schemas: [] }, { schemas: null }]) {
    expect((await update(more)).status).toBe(200);
    expect((await enabledOf(id)).map(([, enabled]: unknown[]) => enabled)).toEqual([false, true]);
  }
  expect(await refusal('PUT', `/bulk/syncs/${id}`, api.request({ schemas: ['public.nope'] }))).toContain(
    'public.nope is no schema',
  );
  const cleared = { id: 'public.users', filters: [], user_output_name: '' };
  await update({ schemas: [cleared] });
  expect(await schemaOf(id, 'public.users')).toMatchObject({ filters: [], user_output_name: '' });
  await api.call('DELETE', `/bulk/syncs/${id}?refresh_schemas=true`);
});

test('what cannot be honoured is refused by its name, in every request that has it', async () => {
  const id = await api.create();
  const schema = `/bulk/syncs/${id}/schemas/public.users`;
  const users = { id: 'public.users' };
  const history = { ...users, history_enabled: true };
  for (const [said, ...request] of [
    ['422 schemas.0.history_enabled: keeping', 'POST', '/bulk/syncs', api.request({ schemas: [history] })],
    [
      '422 schemas.0.history_enabled: keeping',
      'PUT',
      `/bulk/syncs/${id}`,
      api.request({ schemas: [history] }),
    ],
    ['422 schemas.0.history_enabled: keeping', 'PATCH', `/bulk/syncs/${id}/schemas`, { schemas: [history] }],
    ['422 history_enabled: keeping', 'PUT', schema, { history_enabled: true }],
    [
      '422 schemas.public.users.output_name: is users',
      'PATCH',
      `/bulk/syncs/${id}/schemas`,
      { schemas: [{ ...users, output_name: 'x' }] },
    ],
    [
      '422 schemas.public.users.fields.id.output_name',
      'PUT',
      schema,
      { fields: [{ id: 'id', output_name: 'key' }] },
    ],
    [
      '422 default_schedule.timezone',
      'POST',
      '/bulk/syncs',
      api.request({ default_schedule: { frequency: 'daily', timezone: 'CET' } }),
    ],
    [
      '400 Nothing reads these members of the request: shcemas (did you mean schemas?)',
      'POST',
      '/bulk/syncs',
      api.request({ shcemas: [] }),
    ],
    [
      '400 Nothing reads these members of the request: schedule.day_of_week',
      'POST',
      `/bulk/syncs/${id}/schedules`,
      { schedule: { frequency: 'weekly', day_of_week: 'monday' } },
    ],
    ['403 organization_id', 'POST', '/bulk/syncs', api.request({ organization_id: crypto.randomUUID() })],
  ] as const) {
    expect(await refusal(...(request as unknown as Parameters<BulkApi['call']>)), said).toContain(said);
  }
  // What was read can be sent back.
  const read = await schemaOf(id, 'public.users');
  expect(await api.call('PUT', schema, { ...read, history_enabled: false })).toMatchObject({
    status: 200,
    data: read,
  });
  expect(await api.call('PATCH', `/bulk/syncs/${id}/schemas`, { schemas: [read] })).toMatchObject({
    status: 200,
  });
  const { data: sync } = await api.call('GET', `/bulk/syncs/${id}?refresh_schemas=true`);
  expect(sync).not.toHaveProperty('source_configuration');
  expect(await api.call('PUT', `/bulk/syncs/${id}`, { ...sync, organization_id: '' })).toMatchObject({
    status: 200,
  });
  const { data: empty } = await api.call('PUT', `/bulk/syncs/${id}`, { ...sync, source_configuration: {} });
  expect(empty.source_configuration).toEqual({});
});

test('filters of the list of schemas, in brackets and as JSON', async () => {
  const id = await api.create({ schemas: ['public.users', { id: 'public.orders', enabled: false }] });
  const list = async (query: string) => {
    const { status, data } = await api.call('GET', `/bulk/syncs/${id}/schemas?${query}`);
    return status === 200 ? data.map((one: { id: string }) => one.id) : status;
  };
  expect(await list('filters[enabled]=false')).toEqual(['public.orders']);
  expect(await list('filters%5Benabled%5D=true')).toEqual(['public.users']);
  expect(await list(`filters=${encodeURIComponent('{"enabled":"false"}')}`)).toEqual(['public.orders']);
  expect(await list('filters[enabled]=maybe')).toBe(400);
  expect(await list('filters[disabled]=true')).toBe(400);
  expect(await list('filters[enabled]=true&filters[enabled]=false')).toBe(400);
  expect(await list('filter[enabled]=true')).toBe(400);
});

test('a primary key is not reset by a request that says nothing of it', async () => {
  const path = `/connections/${api.ids.source}/schemas/public.orders/primary_keys`;
  const keyOf = async () => {
    const { data } = await api.call('GET', `/connections/${api.ids.source}/schemas/public.orders`);
    return data.fields
      .filter((one: { is_primary_key: boolean }) => one.is_primary_key)
      .map((one: { id: string }) => one.id);
  };
  expect(
    (await api.call('PUT', path, { fields: [{ field_id: 'total', is_primary_key: true }] })).status,
  ).toBe(202);
  expect(await keyOf()).toEqual(['total']);
  for (const body of [{}, { field: [] }, { keys: ['id'] }, { fields: null }]) {
    expect((await api.call('PUT', path, body)).status).toBe(400);
  }
  expect(await keyOf()).toEqual(['total']);
  expect((await api.call('PUT', path, { fields: [] })).status).toBe(202);
  expect(await keyOf()).toEqual(['id']);
});
