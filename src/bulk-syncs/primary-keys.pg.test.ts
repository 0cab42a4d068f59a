import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BulkApi, bulkApi } from '../../test/support/bulk-api.ts';

let api: BulkApi;
beforeAll(async () => {
  api = await bulkApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const keysOf = (schema: { fields: { id: string; is_primary_key: boolean }[] }) =>
  schema.fields.filter((field) => field.is_primary_key).map(({ id }) => id);

test('a key set for a schema shows in the catalogue, is used by the load, and goes when it is reset', async () => {
  await api.harness.refresh(api.ids.source);
  const path = `/connections/${api.ids.source}/schemas/public.users`;
  expect(keysOf((await api.call('GET', path)).data)).toEqual(['id']);
  const set = (fields: object[]) => api.call('PUT', `${path}/primary_keys`, { fields });
  const unknown = await set([{ field_id: 'nope', is_primary_key: true }]);
  expect(unknown.status).toBe(400);
  expect(unknown.body.message).toContain('nope is no field of public.users');
  expect(
    await set([
      { field_id: 'firstName', is_primary_key: true },
      { field_id: 'id', is_primary_key: false },
    ]),
  ).toMatchObject({ status: 202 });
  expect(keysOf((await api.call('GET', path)).data)).toEqual(['firstName']);
  await api.harness.refresh(api.ids.source);
  expect(keysOf((await api.call('GET', path)).data)).toEqual(['firstName']);

  const destination_configuration = { schema: 'keyed' };
  const id = await api.create({ schemas: ['public.users'], destination_configuration });
  const { data } = await api.call('POST', `/bulk/syncs/${id}/executions`);
  expect((await api.harness.run(data.id)).outcome).toEqual({ status: 'completed' });
  const keyOf = (table: string) =>
    api.warehouse.query(
      `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
       where i.indisprimary and i.indrelid = '${table}'::regclass`,
    );
  expect(await keyOf('keyed.users')).toEqual([{ name: 'first_name' }]);

  expect((await api.call('DELETE', `${path}/primary_keys`)).status).toBe(202);
  expect(keysOf((await api.call('GET', path)).data)).toEqual(['id']);
});

test('one schema can be taken out of an execution that has not begun with it', async () => {
  const id = await api.create({ destination_configuration: { schema: 'partly' } });
  const cancel = (schema: string) => api.call('POST', `/bulk/syncs/${id}/schemas/${schema}/cancel`);
  // With nothing to cancel it is as good as canceled, as with a whole sync.
  expect(await cancel('public.orders')).toMatchObject({ status: 200 });
  const { data } = await api.call('POST', `/bulk/syncs/${id}/executions`);
  expect(await cancel('public.orders')).toMatchObject({ status: 200 });
  expect(await cancel('public.nope')).toMatchObject({ status: 404 });
  const { outcome, schemas } = await api.harness.run(data.id);
  expect(outcome).toEqual({ status: 'completed' });
  expect(schemas).toMatchObject([
    { schema_id: 'public.orders', status: 'canceled' },
    { schema_id: 'public.users', status: 'completed', record_count: 10 },
  ]);
});
