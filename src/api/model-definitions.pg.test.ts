import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ModelSyncsApi,
  startModelSyncsApi,
  type WireModel,
} from '../../test/support/model-syncs-api.ts';

let api: ModelSyncsApi;

beforeAll(async () => {
  api = await startModelSyncsApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('models: source, fields, preview, create, get, list, update, sample, delete', async () => {
  const base = `/api/connections/${api.world.sourceId}/modelsync/source`;
  const meta = await api.data<{ requires_one_of: string[] }>('GET', base);
  expect(meta.requires_one_of).toEqual(expect.arrayContaining(['table', 'query']));
  const asJson = `${base}/fields?params=${encodeURIComponent('{"table":["public.customers"]}')}`;
  const fields = await api.data<{ name: string }[]>('GET', asJson);
  expect(fields.map((field) => field.name)).toEqual(['id', 'email', 'odd name']);
  expect(await api.data('GET', `${base}/fields?table=public.customers`)).toEqual(fields);
  expect((await api.call('GET', `${base}?params=nonsense`)).body.message).toMatch(/^params: /);

  const preview = await api.data<WireModel>('POST', '/api/model-preview', api.modelBody());
  expect(preview.fields).toHaveLength(3);
  expect(preview.id).toBeUndefined();
  expect(await api.data('GET', '/api/models')).toEqual([]);

  const created = await api.data<WireModel>('POST', '/api/models', api.modelBody({ labels: ['crm'] }));
  expect(created).toMatchObject({
    identifier: 'id',
    labels: [{ name: 'crm' }],
    version: 1,
    type: 'postgresql',
  });
  expect(created.fields[0]).toMatchObject({ name: 'id', type: 'number', remote_type: 'bigint' });
  expect(await api.data('GET', `/api/models/${created.id}`)).toEqual(created);
  expect(await api.data('GET', '/api/models')).toEqual([created]);

  const body = api.modelBody({ name: 'Fewer', fields: ['id', 'email'] });
  const updated = await api.data<WireModel>('PUT', `/api/models/${created.id}`, body);
  expect(updated).toMatchObject({ name: 'Fewer', version: 1, labels: [] });
  expect(updated.fields.map(({ id, name }) => ({ id, name }))).toEqual(
    created.fields.slice(0, 2).map(({ id, name }) => ({ id, name })),
  );
  const sample = await api.data<{ records: object[] }>('GET', `/api/models/${created.id}/sample`);
  expect(sample.records).toEqual([{ [created.id]: expect.objectContaining({ email: 'a@example.com' }) }]);

  expect(await api.call('DELETE', `/api/models/${created.id}`)).toEqual({ status: 200, body: undefined });
  expect((await api.call('GET', `/api/models/${created.id}`)).status).toBe(404);
});

test('a model that is sent back as it was answered stays as it is', async () => {
  const related = await api.newModel();
  const body = api.modelBody({
    fields: ['id', 'odd name'],
    additional_fields: [{ name: 'odd name.n', label: 'a number', type: 'number', example: '7' }],
    labels: ['crm'],
    tracking_columns: ['email'],
    relations: [{ from: 'id', to: { model_id: related.id, field: 'id' } }],
  });
  const { id } = await api.data<WireModel>('POST', '/api/models', body);
  const read = await api.data<object>('GET', `/api/models/${id}`);
  expect(await api.data('PUT', `/api/models/${id}`, read)).toMatchObject({
    ...read,
    updated_at: expect.any(String),
  });
  await api.call('DELETE', `/api/models/${id}`);
  await api.call('DELETE', `/api/models/${related.id}`);
});

test.each([
  ['identifier', { identifier: 'nope' }, 400],
  ['fields', { fields: ['id', 'nope'] }, 400],
  ['tracking_columns', { tracking_columns: ['nope'] }, 400],
  ['configuration', { configuration: 'public.customers' }, 400],
  ['relations', { relations: [{ from: 'id', to: { model_id: 'x', field: 'y' } }] }, 400],
  ['additional_fields.0.name', { additional_fields: [{ name: 'a.b', label: 'b', type: 'string' }] }, 400],
  [
    'additional_fields.0.name',
    { additional_fields: [{ name: 'odd name.', label: 'b', type: 'string' }] },
    400,
  ],
  [
    'additional_fields.0.type',
    { additional_fields: [{ name: 'odd name.n', label: 'b', type: 'binary' }] },
    400,
  ],
  ['enricher.connection_id', { enricher: { connection_id: 'x' } }, 400],
])('a model with a wrong %s is refused by name', async (field, more, status) => {
  const refused = await api.call('POST', '/api/models', api.modelBody(more));
  expect(refused.status).toBe(status);
  expect(refused.body.message).toContain(field);
});

test('configurations of a model and its enricher are held against what is read', async () => {
  const refusal = async (more: object) => {
    const { status, body } = await api.call('POST', '/api/models', api.modelBody(more));
    return [status, body.message];
  };
  expect(await refusal({ configuration: { tabel: 'public.customers' } })).toEqual([
    400,
    expect.stringContaining('configuration.tabel (did you mean table?)'),
  ]);
  expect(await refusal({ configuration: { table: 'public.customers', query: 'select 1 as one' } })).toEqual([
    400,
    expect.stringContaining('takes one of table, view or query, and has table and query'),
  ]);
  const lookup = await api.world.connect('httpenrichment', {
    url: 'http://127.0.0.1:9/{{id}}',
    method: 'GET',
  });
  const enricher = { connection_id: lookup, mappings: { id: 'id' }, configuration: { cache_hour: 5 } };
  expect(await refusal({ enricher })).toEqual([
    400,
    expect.stringContaining('enricher.configuration.cache_hour (did you mean cache_hours?)'),
  ]);
  const { id: file } = await api.data<{ id: string }>('POST', '/api/connections', {
    name: 'a file',
    type: 'csv',
    configuration: { url: 'http://127.0.0.1:9/x.csv' },
    validate: false,
  });
  expect(await refusal({ connection_id: file, configuration: { query: 'select 1' } })).toEqual([
    422,
    expect.stringContaining('configuration.query: files are read whole'),
  ]);
});

test('a model of a query that fails, and of a connection that is no source', async () => {
  const query = await api.call(
    'POST',
    '/api/models',
    api.modelBody({ configuration: { query: 'select nope' } }),
  );
  expect(query).toMatchObject({ status: 400, body: { message: expect.stringContaining('nope') } });
  const webhook = await api.call('POST', '/api/models', api.modelBody({ connection_id: api.webhookId }));
  expect(webhook).toMatchObject({ status: 400, body: { message: expect.stringContaining('connection_id') } });
  const unknown = await api.call('POST', '/api/models', api.modelBody({ connection_id: 'nope' }));
  expect(unknown.status).toBe(404);
});
