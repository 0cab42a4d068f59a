import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';

interface Thing {
  id: string;
  name: string;
  schedule: object;
}
interface Answer {
  status: number;
  body: { key: string; message: string; metadata: { used_by: object[] } };
}

let api: TestApp;
let database: TestDatabase;
let connection: string;

beforeAll(async () => {
  [api, database] = await Promise.all([startTestApp(), createDatabase()]);
  await database.query(
    'create table things (id int primary key, name text); create table copies (id int primary key, name text)',
  );
  const configuration = postgresqlConfiguration(database.url);
  connection = (await make('/api/connections', { name: 'both', type: 'postgresql', configuration })).id;
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
  api.request(api.first.apiKey, method, url, body) as Promise<unknown> as Promise<Answer>;

async function data(method: 'GET' | 'POST' | 'PUT', url: string, body?: object): Promise<Thing> {
  const { status, body: answered } = await call(method, url, body);
  expect({ url, status, answered }).toMatchObject({ status: 200 });
  return (answered as unknown as { data: Thing }).data;
}
const make = (url: string, body: object) => data('POST', url, body);

const newModel = (name: string, more: object = {}) =>
  make('/api/models', {
    name,
    connection_id: connection,
    configuration: { table: 'public.things' },
    identifier: 'id',
    ...more,
  });
const newSync = (name: string, model: Thing, schedule: object = { frequency: 'manual' }) =>
  make('/api/syncs', {
    name,
    mode: 'updateOrCreate',
    active: true,
    schedule,
    identity: { source: { model_id: model.id, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source: { model_id: model.id, field: 'name' }, target: 'name' }],
    target: { connection_id: connection, object: 'public.copies' },
  });
const newBulk = (name: string) =>
  make('/api/bulk/syncs', {
    name,
    source_connection_id: connection,
    destination_connection_id: connection,
    mode: 'replicate',
    default_schedule: { frequency: 'manual' },
    destination_configuration: { schema: 'replica' },
    schemas: ['public.things'],
  });
const use = (type: string, { name, id }: Thing) => ({ type, name, id });

/** Refused with who needs it, and unchanged. */
async function refused(url: string, key: string, usedBy: object[]): Promise<void> {
  const answer = await call('DELETE', url);
  expect(answer).toMatchObject({
    status: 422,
    body: { key, message: expect.stringContaining('force=true') },
  });
  expect(answer.body.metadata.used_by).toHaveLength(usedBy.length);
  expect(answer.body.metadata.used_by).toEqual(expect.arrayContaining(usedBy));
  expect((await call('GET', url)).status).toBe(200);
}

test('what others need is not deleted without force, and the error names them', async () => {
  const model = await newModel('Things');
  const related = await newModel('Related', {
    relations: [{ from: 'id', to: { model_id: model.id, field: 'id' } }],
  });
  const bulk = await newBulk('Copy');
  const first = await newSync('First', model);
  const after = await newSync('After', model, {
    frequency: 'runafter',
    // Ids are the same in either case.
    run_after: { sync_ids: [first.id.toUpperCase()], bulk_sync_ids: [bulk.id] },
  });
  await data('POST', `/api/syncs/${after.id}/activate`, { active: false });

  await refused(`/api/models/${model.id}`, 'in_use', [
    use('sync', first),
    use('sync', after),
    use('model', related),
  ]);
  await refused(`/api/syncs/${first.id}`, 'in_use', [use('sync', after)]);
  await refused(`/api/syncs/${first.id.toUpperCase()}`, 'in_use', [use('sync', after)]);
  await refused(`/api/models/${model.id.toUpperCase()}`, 'in_use', [
    use('sync', first),
    use('sync', after),
    use('model', related),
  ]);
  await refused(`/api/bulk/syncs/${bulk.id}`, 'in_use', [use('sync', after)]);
  await refused(`/api/connections/${connection}`, 'connection_in_use', [
    ...[model, related].map((one) => use('model', one)),
    ...[first, after].map((one) => use('sync', one)),
    use('bulk_sync', bulk),
  ]);

  // What runs after it stays, says what it has lost, and can be sent back as it is.
  const scheduleOf = async () => (await data('GET', `/api/syncs/${after.id}`)).schedule;
  expect((await call('DELETE', `/api/syncs/${first.id}?force=true`)).status).toBe(200);
  expect(await scheduleOf()).toMatchObject({
    frequency: 'runafter',
    run_after: { sync_ids: [], bulk_sync_ids: [bulk.id] },
    note: 'It ran after the sync First, which was deleted.',
  });
  expect((await call('DELETE', `/api/bulk/syncs/${bulk.id}?force=true`)).status).toBe(200);
  expect(await scheduleOf()).toEqual({
    frequency: 'manual',
    note: expect.stringMatching(
      /^It ran after the bulk sync Copy, which was deleted\. .* another schedule\.$/,
    ),
  });
  const left = await data('GET', `/api/syncs/${after.id}`);
  expect(await data('PUT', `/api/syncs/${after.id}`, left)).toMatchObject({ id: after.id });

  // A sync cannot be without its model; a related model can.
  expect((await call('DELETE', `/api/models/${model.id}?force=true`)).status).toBe(200);
  expect((await call('GET', `/api/syncs/${after.id}`)).status).toBe(404);
  const alone = await data('GET', `/api/models/${related.id}`);
  expect(alone).toMatchObject({ relations: [] });
  const { name } = related;
  const settings = {
    name,
    connection_id: connection,
    configuration: { table: 'public.things' },
    relations: [],
  };
  expect(await data('PUT', `/api/models/${related.id}`, settings)).toMatchObject({ id: related.id });
});

test('what nothing needs is deleted as before', async () => {
  const model = await newModel('Unneeded');
  const sync = await newSync('Unneeded', model);
  expect((await call('DELETE', `/api/syncs/${sync.id}`)).status).toBe(200);
  expect((await call('DELETE', `/api/models/${model.id}`)).status).toBe(200);
});

test('a change of a model keeps the fields that syncs and models use, or says who uses them', async () => {
  const model = await newModel('Changed');
  const related = await newModel('Leads to it', {
    relations: [{ from: 'id', to: { model_id: model.id, field: 'id' } }],
  });
  const sync = await newSync('Maps a name', model);
  const joined = await make('/api/syncs', {
    name: 'Joins a name',
    mode: 'updateOrCreate',
    schedule: { frequency: 'manual' },
    identity: { source: { model_id: related.id, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source: { model_id: model.id, field: 'name' }, target: 'name' }],
    target: { connection_id: connection, object: 'public.copies' },
  });
  const url = (one: Thing, query = '') => `/api/models/${one.id}${query}`;
  const body = { connection_id: connection, configuration: { table: 'public.things' }, identifier: 'id' };
  const refusedFor = async (one: Thing, change: object, usedBy: object[], fields: string[]) => {
    const answer = await call('PUT', url(one), { name: one.name, ...body, ...change });
    expect(answer).toMatchObject({
      status: 422,
      body: { key: 'fields_in_use', message: expect.stringContaining('force=true'), metadata: { fields } },
    });
    expect(answer.body.metadata.used_by).toHaveLength(usedBy.length);
    expect(answer.body.metadata.used_by).toEqual(expect.arrayContaining(usedBy));
  };

  await refusedFor(model, { fields: ['id'] }, [use('sync', sync), use('sync', joined)], ['name']);
  await refusedFor(
    model,
    { identifier: null, fields: ['name'] },
    [use('sync', sync), use('model', related)],
    ['id'],
  );
  await refusedFor(related, { relations: [] }, [use('sync', joined)], ['name']);
  expect(await data('GET', url(model))).toMatchObject({ fields: [{ name: 'id' }, { name: 'name' }] });

  // What takes nothing away goes through, and so does what was broken before.
  await data('PUT', url(model), { ...body, name: 'Changed', fields: ['name', 'id'] });
  const forced = await data('PUT', url(model, '?force=true'), { ...body, name: 'Changed', fields: ['id'] });
  expect(forced).toMatchObject({ fields: [{ name: 'id' }] });
  await data('PUT', url(model), { ...body, name: 'Changed again', fields: ['id'] });
  expect((await call('GET', `/api/syncs/${sync.id}`)).status).toBe(200);
});
