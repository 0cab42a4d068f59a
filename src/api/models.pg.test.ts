import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';

let world: TestApp;
let source: TestDatabase;
let sourceId: string;

beforeAll(async () => {
  [world, source] = await Promise.all([startTestApp(), createDatabase()]);
  const configuration = postgresqlConfiguration(source.url);
  const connection = { name: 'source', type: 'postgresql', configuration };
  sourceId = (await data<{ id: string }>('POST', '/api/connections', connection)).id;
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await source?.[Symbol.asyncDispose]();
});

const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
  world.request(world.first.apiKey, method, url, body);

async function data<Data>(...request: Parameters<typeof call>): Promise<Data> {
  const { status, body } = await call(...request);
  expect({ status, body }).toMatchObject({ status: 200, body: { data: expect.anything() } });
  return (body as { data: Data }).data;
}

/** The answer as it is on the wire. */
async function text(url: string): Promise<string> {
  const authorization = `Bearer ${world.first.apiKey}`;
  return (await world.app.inject({ method: 'GET', url, headers: { authorization } })).body;
}

interface WireModel {
  id: string;
  fields: { name: string; type: string; label: string; user_added: boolean }[];
}

const newModel = (configuration: object, more: object = {}) =>
  data<WireModel>('POST', '/api/models', { name: 'model', connection_id: sourceId, configuration, ...more });

test('samples have every digit, of a model and of a schema', async () => {
  await source.query(
    `create table exact (id bigint, n numeric, j jsonb, a bigint[], f float8);
     insert into exact values (9007199254740993, 0.10, '{"n": 9007199254740995.10}', '{9007199254740997,null}', 'NaN')`,
  );
  const model = await newModel({ table: 'public.exact' });
  const record =
    '{"id":9007199254740993,"n":0.10,"j":{"n": 9007199254740995.10},"a":[9007199254740997,null],"f":"NaN"}';
  expect(await text(`/api/models/${model.id}/sample`)).toBe(
    `{"data":{"records":[{"${model.id}":${record}}],"warnings":[]}}`,
  );
  expect(await text(`/api/connections/${sourceId}/schemas/public.exact/records`)).toBe(
    `{"data":[${record}]}`,
  );
});

test('additional fields are told with their labels, and sampled exactly', async () => {
  await source.query(
    `create table deep (meta jsonb); insert into deep values ('{"o": {"n": 9007199254740993}}')`,
  );
  const additional_fields = [{ name: 'meta.o.n', label: 'Number', type: 'number', example: '5' }];
  const body = {
    name: 'm',
    connection_id: sourceId,
    configuration: { table: 'public.deep' },
    additional_fields,
  };
  const preview = await data<WireModel>('POST', '/api/model-preview', body);
  expect(preview.fields[1]).toMatchObject({
    name: 'meta.o.n',
    type: 'number',
    label: 'Number',
    user_added: true,
  });
  const model = await data<WireModel>('POST', '/api/models', { ...body, fields: ['meta'] });
  expect(model.fields[1]).toMatchObject({ name: 'meta.o.n', user_added: true, example: '5' });
  expect(await data('GET', `/api/models/${model.id}`)).toEqual(model);
  expect(await text(`/api/models/${model.id}/sample`)).toContain('"meta.o.n":9007199254740993}');
  await source.query('alter table deep add more text');
  const refreshed = await data<WireModel>('PUT', `/api/models/${model.id}`, { ...body, refresh: true });
  expect(refreshed.fields.map(({ name }) => name)).toEqual(['meta', 'more', 'meta.o.n']);
});
