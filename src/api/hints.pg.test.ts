/** What a refusal or an answer says besides: the name that was meant, the values that would do, what will not happen. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';

let api: TestApp;
let database: TestDatabase;
let connection: string;
let model: string;

beforeAll(async () => {
  [api, database] = await Promise.all([startTestApp(), createDatabase()]);
  await database.query(`create table customers (id int primary key, name text);
    create schema crm; create table crm.contacts (contact_id int primary key, full_name text)`);
  const configuration = postgresqlConfiguration(database.url);
  connection = await made('/api/connections', { name: 'both', type: 'postgresql', configuration });
  model = await made('/api/models', modelBody());
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const post = (url: string, body: object) => api.request(api.first.apiKey, 'POST', url, body);
async function made(url: string, body: object): Promise<string> {
  const answer = await post(url, body);
  expect(answer).toMatchObject({ status: 200 });
  return (answer.body as { data: { id: string } }).data.id;
}
const messageOf = async (url: string, body: object) =>
  ((await post(url, body)).body as { message: string }).message;

const modelBody = (more: object = {}) => ({
  name: 'Customers',
  connection_id: connection,
  configuration: { table: 'public.customers' },
  identifier: 'id',
  ...more,
});
const syncBody = (more: object = {}) => ({
  name: 'Contacts',
  mode: 'updateOrCreate',
  schedule: { frequency: 'manual' },
  identity: { source: { model_id: model, field: 'id' }, target: 'contact_id', function: 'Equality' },
  fields: [{ source: { model_id: model, field: 'name' }, target: 'full_name' }],
  target: { connection_id: connection, object: 'crm.contacts' },
  ...more,
});

test('a name that is not there names the one that was meant', async () => {
  const mapped = (field: string, target: string) =>
    syncBody({ fields: [{ source: { model_id: model, field }, target }] });
  const target = (object: string) => syncBody({ target: { connection_id: connection, object } });
  for (const [url, body, near] of [
    ['/api/models', modelBody({ configuration: { table: 'customers' } }), 'public.customers'],
    ['/api/models', modelBody({ configuration: { view: 'app.Customer' } }), 'public.customers'],
    ['/api/models', modelBody({ identifier: 'ID' }), 'id'],
    ['/api/models', modelBody({ fields: ['nmae'] }), 'name'],
    ['/api/syncs', target('contact'), 'crm.contacts'],
    ['/api/syncs', mapped('Name', 'full_name'), 'name'],
    ['/api/syncs', mapped('name', 'fullName'), 'full_name'],
    ['/api/connections', { name: 'c', type: 'postgres', configuration: {} }, 'postgresql'],
  ] as const) {
    expect(await messageOf(url, body), near).toContain(`(did you mean ${near}?)`);
  }
  for (const table of ['orders', '', "x'; drop table customers", '.']) {
    expect(await messageOf('/api/models', modelBody({ configuration: { table } }))).not.toContain('did you');
  }
});

test('a value that is not among those allowed is answered with these', async () => {
  expect(await messageOf('/api/syncs', syncBody({ mode: 'upsert' }))).toContain(
    'takes "create", "update", "updateOrCreate", "replace", "append", "remove", "snapshot"',
  );
  const schedule = { frequency: 'fortnightly' };
  expect(await messageOf('/api/syncs', syncBody({ schedule }))).toMatch(/takes .*"daily"/);
});

/** What is said of a request that was done. */
async function warning(method: 'POST' | 'PUT', url: string, body: object) {
  const answer = await api.request(api.first.apiKey, method, url, body);
  expect(answer).toMatchObject({ status: 200 });
  const { data } = answer.body as { data: { id: string } };
  return [answer.headers['tidemark-warning'], data.id] as const;
}
const daily = { frequency: 'daily', hour: '5', minute: '0' };
const isIdle = expect.stringContaining('active is false');

test('a sync that is saved with a schedule and is not active says so', async () => {
  const ofSync = async (more: object) => (await warning('POST', '/api/syncs', syncBody(more)))[0];
  expect(await ofSync({ schedule: daily })).toEqual(isIdle);
  expect(await ofSync({ schedule: daily, active: true })).toBeUndefined();
  expect(await ofSync({})).toBeUndefined();
});

test('so does a bulk sync, and what is saved of its schedules alone', async () => {
  const body = (more: object) => ({
    ...{ name: 'Copy', source_connection_id: connection, destination_connection_id: connection },
    ...{ mode: 'replicate', destination_configuration: { schema: 'copy' }, schemas: ['public.customers'] },
    ...more,
  });
  const path = '/api/bulk/syncs';
  const [idle, id] = await warning('POST', path, body({ default_schedule: daily }));
  expect(idle).toEqual(isIdle);
  const manual = { default_schedule: { frequency: 'manual' } };
  const additional_schedules = [{ ...daily, schemas: ['public.customers'] }];
  for (const [more, said] of [
    [{ default_schedule: daily, active: true }, undefined],
    [manual, undefined],
    [{ ...manual, additional_schedules }, isIdle],
    [{ ...manual, additional_schedules, active: true }, undefined],
    [manual, undefined],
  ] as const) {
    expect((await warning('PUT', `${path}/${id}`, body(more)))[0], JSON.stringify(more)).toEqual(said);
  }
  const schedules = `${path}/${id}/schedules`;
  const [added, schedule] = await warning('POST', schedules, { schedule: daily });
  expect(added).toEqual(isIdle);
  const [none] = await warning('PUT', `${schedules}/${schedule}`, { schedule: { frequency: 'manual' } });
  expect(none).toBeUndefined();
  const activated = await post(`${path}/${id}/activate`, { active: true });
  expect(activated.status).toBe(200);
  const [active] = await warning('PUT', `${schedules}/${schedule}`, { schedule: daily });
  expect(active).toBeUndefined();
});
