import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';

let world: TestApp;
let source: TestDatabase;
let connectionId: string;
let stranger: Tenant;

beforeAll(async () => {
  [world, source] = await Promise.all([startTestApp(), createDatabase()]);
  stranger = await world.tenant('other');
  await source.query(`
    create table orders (id int, customer int, total numeric);
    create table customers (id int, name text, country text);
    create table countries (code text, label text);
    create table contacts (id int primary key, total numeric, name text);
    insert into orders values (1, 7, 0.10), (2, 8, 9007199254740993), (3, null, 3);
    insert into customers values (7, 'seven', 'de'), (7, 'another', 'fr'), (9, 'unasked', 'fr');
    insert into countries values ('de', 'Germany')`);
  connectionId = await connection(world.first);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await source?.[Symbol.asyncDispose]();
});

const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object, tenant = world.first) =>
  world.request(tenant.apiKey, method, url, body);

async function data<Data>(...request: Parameters<typeof call>): Promise<Data> {
  const { status, body } = await call(...request);
  expect({ status, body }).toMatchObject({ status: 200 });
  return (body as { data: Data }).data;
}

async function connection(tenant: Tenant): Promise<string> {
  const body = { name: 'source', type: 'postgresql', configuration: postgresqlConfiguration(source.url) };
  return (await data<{ id: string }>('POST', '/api/connections', body, tenant)).id;
}

interface WireModel {
  id: string;
  relations: object[];
  fields: { id: string; name: string }[];
}

const body = (table: string, more: object = {}) => ({
  name: table,
  connection_id: connectionId,
  configuration: { table: `public.${table}` },
  identifier: table === 'countries' ? 'code' : 'id',
  ...more,
});
const newModel = (...of: Parameters<typeof body>) => data<WireModel>('POST', '/api/models', body(...of));
const to = (from: string, { id }: { id: string }, field: string) => ({ from, to: { model_id: id, field } });

test('relations come back as they were said, by name, and go when an update leaves them out', async () => {
  const customers = await newModel('customers');
  const idOfField = customers.fields[0]?.id ?? '';
  const orders = await newModel('orders', { relations: [to('customer', customers, idOfField)] });
  const said = [to('customer', customers, 'id')];
  expect(orders.relations).toEqual(said);
  expect((await data<WireModel>('GET', `/api/models/${orders.id}`)).relations).toEqual(said);
  const put = (more: object) =>
    data<WireModel>('PUT', `/api/models/${orders.id}`, body('orders', more)).then((one) => one.relations);
  expect(await put({ relations: orders.relations })).toEqual(said);
  expect(await put({})).toEqual([]);
  const preview = body('orders', { relations: said });
  expect(await data('POST', '/api/model-preview', preview)).toMatchObject({ relations: said });
});

test('what cannot be joined is refused, and the member named', async () => {
  const countries = await newModel('countries');
  const customers = await newModel('customers', { relations: [to('country', countries, 'code')] });
  const orders = await newModel('orders', { relations: [to('customer', customers, 'id')] });
  const theirs = await data<WireModel>(
    'POST',
    '/api/models',
    { ...body('countries'), connection_id: await connection(stranger) },
    stranger,
  );
  const gone = await newModel('countries');
  await call('DELETE', `/api/models/${gone.id}`);
  const cases: [object, string][] = [
    [to('nope', customers, 'id'), 'relations.0.from: "nope" is not a field of this model, which has code'],
    [to('code', customers, 'nope'), 'relations.0.to.field: "nope" is not a field of model customers'],
    [to('code', theirs, 'code'), `relations.0.to.model_id: there is no model ${theirs.id}`],
    [to('code', gone, 'code'), `relations.0.to.model_id: there is no model ${gone.id}`],
    [to('code', { id: 'nope' }, 'code'), 'relations.0.to.model_id: there is no model nope'],
    [to('code', countries, 'code'), 'relations.0.to.model_id: is this model itself'],
    [
      to('code', orders, 'id'),
      'relations.0.to.model_id: leads back to this model: countries → orders → customers → countries',
    ],
    [{ from: 'code' }, 'relations.0'],
  ];
  for (const [relation, message] of cases) {
    const update = body('countries', { relations: [relation] });
    const refused = await call('PUT', `/api/models/${countries.id}`, update);
    expect([refused.status, refused.body]).toMatchObject([
      400,
      { message: expect.stringContaining(message) },
    ]);
  }
});

test('a sample has the partners of its records, each model by its id', async () => {
  const countries = await newModel('countries');
  const customers = await newModel('customers', { relations: [to('country', countries, 'code')] });
  const orders = await newModel('orders', { relations: [to('customer', customers, 'id')] });
  const authorization = `Bearer ${world.first.apiKey}`;
  const url = `/api/models/${orders.id}/sample`;
  const text = (await world.app.inject({ method: 'GET', url, headers: { authorization } })).body;
  expect(text).toContain(`"${orders.id}":{"id":2,"customer":8,"total":9007199254740993}`);
  const nobody = {
    [customers.id]: { id: null, name: null, country: null },
    [countries.id]: { code: null, label: null },
  };
  const { records, warnings } = JSON.parse(text).data;
  const idOf = (record: Record<string, { id: number }>) => record[orders.id]?.id ?? 0;
  expect(records.toSorted((a: never, b: never) => idOf(a) - idOf(b))).toMatchObject([
    {
      [customers.id]: { id: 7, name: 'another', country: 'fr' },
      [countries.id]: { code: null, label: null },
    },
    nobody,
    nobody,
  ]);
  expect(warnings).toEqual([
    '1 records have several partners in model customers: of these the smallest by id was taken',
  ]);
});

test('a sync names fields of related models, by name or id, and keeps them', async () => {
  const countries = await newModel('countries');
  const customers = await newModel('customers');
  const orders = await newModel('orders', { relations: [to('customer', customers, 'id')] });
  const from = ({ id }: WireModel, field: string) => ({ model_id: id, field });
  const name = customers.fields.find((one) => one.name === 'name')?.id ?? '';
  const sync = (more: object = {}) => ({
    name: 'sync',
    mode: 'updateOrCreate',
    schedule: { frequency: 'manual' },
    target: { connection_id: connectionId, object: 'public.contacts' },
    identity: { source: from(orders, 'id'), target: 'id', function: 'Equality' },
    fields: [{ source: from(customers, name), target: 'name' }],
    filters: [{ field_id: name, function: 'IsNotNull' }],
    ...more,
  });
  const created = await data<{ id: string }>('POST', '/api/syncs', sync());
  const said = {
    model_ids: [orders.id, customers.id],
    identity: { source: from(orders, 'id') },
    fields: [{ source: from(customers, 'name'), target: 'name' }],
    filters: [{ field: from(customers, 'name'), function: 'IsNotNull' }],
  };
  expect(created).toMatchObject(said);
  expect(await data('GET', `/api/syncs/${created.id}`)).toMatchObject(said);
  const { id, ...same } = created;
  expect(await data('PUT', `/api/syncs/${id}`, same)).toMatchObject(said);

  const cases: [object, string, number][] = [
    [
      { fields: [{ source: from(countries, 'label'), target: 'name' }], filters: [] },
      'fields.0.source.model_id: no relation leads from model orders to model countries',
      422,
    ],
    [{ fields: [{ source: from(customers, 'nope'), target: 'name' }] }, 'fields.0.source.field: "nope"', 422],
    [
      { filters: [{ field: from(customers, 'nope'), function: 'IsNull' }] },
      'filters.0.field.field: "nope"',
      400,
    ],
    [{ filters: [{ field: from(countries, 'label'), function: 'IsNull' }] }, 'filters.0.field.model_id', 400],
  ];
  for (const [more, message, status] of cases) {
    const refused = await call('POST', '/api/syncs', sync(more));
    expect([refused.status, refused.body]).toMatchObject([
      status,
      { message: expect.stringContaining(message) },
    ]);
  }
});
