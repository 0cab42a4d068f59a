import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type ModelSyncsApi, startModelSyncsApi } from '../../test/support/model-syncs-api.ts';

let api: ModelSyncsApi;

beforeAll(async () => {
  api = await startModelSyncsApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('model syncs: create, get, update, activate, status, schedules, start, cancel, delete', async () => {
  const model = await api.newModel();
  interface Sync {
    id: string;
    fields: object[];
  }
  const created = await api.data<Sync>('POST', '/api/syncs', api.syncBody(model.id));
  expect(created).toMatchObject({
    active: false,
    mode: 'updateOrCreate',
    model_ids: [model.id],
    target: { connection_id: api.world.targetId, object: 'public.contacts' },
    identity: { source: { model_id: model.id, field: 'id' }, target: 'contact_id', function: 'Equality' },
    schedule: { frequency: 'manual' },
  });
  expect(created.fields[1]).toMatchObject({ target: 'extra', sync_mode: 'create' });
  expect(await api.data('GET', `/api/syncs/${created.id}`)).toEqual(created);

  // A field may be named by its id, too.
  const email = model.fields.find((field) => field.name === 'email');
  const byId = api.syncBody(model.id, {
    name: 'By id',
    fields: [{ source: { model_id: model.id, field: email?.id }, target: 'email' }],
  });
  const updated = await api.data<Sync>('PUT', `/api/syncs/${created.id}`, byId);
  expect(updated).toMatchObject({ name: 'By id', fields: [{ source: { field: 'email' } }] });

  const activated = await api.data('POST', `/api/syncs/${created.id}/activate`, { active: true });
  expect(activated).toEqual({ id: created.id, active: true });
  const options = await api.data<{ schedule_options: object[] }>('GET', '/api/syncs/schedules');
  expect(options.schedule_options[0]).toMatchObject({ frequency: 'manual', configuration: {} });
  expect(options.schedule_options).toHaveLength(8);
  expect(await api.data('GET', `/api/syncs/${created.id}/status`)).toEqual({ next_execution_time: null });

  const started = await api.data<{ id: string }>('POST', `/api/syncs/${created.id}/executions`);
  expect(started).toMatchObject({ status: 'queued', created_at: expect.any(String) });
  const again = await api.call('POST', `/api/syncs/${created.id}/executions`, { resync: true });
  expect(again).toMatchObject({ status: 409, body: { key: 'execution_running' } });
  const status = await api.data('GET', `/api/syncs/${created.id}/status`);
  expect(status).toMatchObject({ current_execution: { id: started.id, counts: { total: 0 } } });
  expect(await api.data('POST', `/api/syncs/${created.id}/cancel`)).toEqual({ message: expect.any(String) });
  expect(await api.data('GET', `/api/syncs/${created.id}/status`)).toMatchObject({
    last_execution: { id: started.id, status: 'canceled' },
  });

  expect(await api.call('DELETE', `/api/syncs/${created.id}`)).toEqual({ status: 200, body: undefined });
  expect((await api.call('GET', `/api/syncs/${created.id}`)).status).toBe(404);
});

test('filters come back with labels, by which their logic names them', async () => {
  const model = await api.newModel();
  const field = (name: string) => ({ model_id: model.id, field: name });
  const idOf = (name: string) => model.fields.find((one) => one.name === name)?.id ?? '';
  const filters = [
    { field: field('id'), field_id: 'ignored', function: 'GreaterThan', value: '9007199254740993' },
    { field: field(idOf('email')), field_type: 'Model', function: 'IsNotNull', label: 'a' },
    { field_id: idOf('email'), function: 'StringOneOf', value: ['x', 'y'], label: null },
  ];
  const body = api.syncBody(model.id, { filters, filter_logic: '1 or (NOT A and 3)' });
  interface Filtered {
    id: string;
    filters: object[];
    filter_logic: string;
  }
  const created = await api.data<Filtered>('POST', '/api/syncs', body);
  // A number is kept as it was sent, and goes on to mean the filter at that place.
  expect(created.filter_logic).toBe('1 or (NOT A and 3)');
  expect(created.filters).toEqual([
    {
      field: field('id'),
      field_type: 'Model',
      function: 'GreaterThan',
      value: '9007199254740993',
      label: 'B',
      field_id: 'ignored',
    },
    { field: field('email'), field_type: 'Model', function: 'IsNotNull', label: 'a' },
    {
      field: field('email'),
      // As it was named: clients send back what they read.
      field_id: idOf('email'),
      field_type: 'Model',
      function: 'StringOneOf',
      value: ['x', 'y'],
      label: 'C',
    },
  ]);
  // What was answered can be sent back.
  const same = api.syncBody(model.id, { filters: created.filters, filter_logic: created.filter_logic });
  expect(await api.data('PUT', `/api/syncs/${created.id}`, same)).toMatchObject({
    filters: created.filters,
    filter_logic: created.filter_logic,
  });
  const none = await api.data('PUT', `/api/syncs/${created.id}`, api.syncBody(model.id, { filters: null }));
  expect(none).toMatchObject({ filters: [] });
  expect(none).not.toHaveProperty('filter_logic');
  await api.call('DELETE', `/api/syncs/${created.id}`);
});

test('the list: whole syncs for older clients, light ones in pages for newer', async () => {
  const model = await api.newModel();
  for (const name of ['one', 'two', 'three']) {
    await api.data('POST', '/api/syncs', api.syncBody(model.id, { name, active: name === 'two' }));
  }
  type Item = { name: string; fields?: object[] };
  const old = await api.data<Item[]>('GET', '/api/syncs', undefined, { version: '2024-02-08' });
  expect(old.map((sync) => sync.name)).toEqual(['three', 'two', 'one']);
  expect(old[0]?.fields).toHaveLength(2);
  expect((await api.data<Item[]>('GET', '/api/syncs'))[0]?.fields).toHaveLength(2);

  const names: string[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const url = `/api/syncs?limit=1&page_token=${token}`;
    const { status, body }: Answer = await api.call('GET', url, undefined, { version: '2025-09-18' });
    expect(status).toBe(200);
    const items = body.data as Item[];
    expect(items[0]).toMatchObject({
      target_object: 'public.contacts',
      target_connection_id: api.world.targetId,
    });
    expect(items[0]).not.toHaveProperty('fields');
    names.push(...items.map((item) => item.name));
    token = body.pagination?.next_page_token;
  }
  expect(names).toEqual(['three', 'two', 'one']);
  expect((await api.data<Item[]>('GET', '/api/syncs?active=true')).map((sync) => sync.name)).toEqual(['two']);
  expect(await api.data('GET', `/api/syncs?target_connection_id=${api.world.sourceId}`)).toEqual([]);
  expect(await api.data('GET', '/api/syncs?target_connection_id=nope')).toEqual([]);
  expect((await api.call('GET', '/api/syncs?limit=1&page_token=nope')).status).toBe(400);
});

test('a sync that cannot work is refused, naming what is wrong', async () => {
  const { id } = await api.newModel();
  const from = (field: string, model_id = id) => ({ model_id, field });
  const email = { source: from('email'), target: 'email' };
  const target = (more: object) => ({
    connection_id: api.world.targetId,
    object: 'public.contacts',
    ...more,
  });
  const identity = (more: object) => ({
    source: from('id'),
    target: 'contact_id',
    function: 'Equality',
    ...more,
  });
  const isNull = { field_id: 'email', function: 'IsNull' };
  const cases: [string, object, number?][] = [
    ['mode', { mode: 'nope' }, 400],
    ['fields', { fields: 'email' }, 400],
    ['fields', { fields: [], mode: 'update' }],
    ['identity', { identity: null }],
    ['identity.source.field', { identity: identity({ source: from('nope') }) }],
    ['identity.target', { identity: identity({ target: 'nope' }) }],
    ['identity.function', { identity: identity({ function: 'DomainMatch' }) }],
    [
      'fields.0.source.model_id',
      { fields: [{ ...email, source: from('email', 'nope') }], identity: null, mode: 'create' },
    ],
    [
      'fields.1.source.model_id',
      { fields: [email, { source: from('id', crypto.randomUUID()), target: 'extra' }] },
    ],
    ['fields.0.source.field', { fields: [{ source: from('nope'), target: 'email' }] }],
    ['fields.0.source', { fields: [{ target: 'email' }] }],
    ['fields.0.target', { fields: [{ source: from('email'), target: 'nope' }] }],
    ['computed', { fields: [email, { source: from('id'), target: 'computed' }] }],
    ['fields.1.target', { fields: [email, email] }],
    ['fields.0.sync_mode', { fields: [{ ...email, sync_mode: 'nope' }] }],
    [
      'fields.0.sync_mode: http takes whole records',
      {
        target: { connection_id: api.webhookId, object: 'http' },
        identity: identity({ target: 'record' }),
        fields: [{ source: from('email'), target: 'record', sync_mode: 'create' }],
      },
    ],
    ['override_fields.0.override_value', { override_fields: [{ target: 'extra' }] }],
    ['encryption_passphrase', { fields: [{ ...email, encryption_enabled: true }] }],
    ['sync_mode: mode replace', { mode: 'replace', fields: [{ ...email, sync_mode: 'create' }] }],
    ['identity: mode remove needs', { mode: 'remove', identity: null, fields: [email] }],
    ['target.object', { target: target({ object: 'public.nope' }) }],
    ['target.object', { target: { connection_id: api.world.targetId } }],
    ['target.create', { target: target({ create: { name: 'x' } }) }],
    ['filters.0.field_id: "nope" is no field', { filters: [{ field_id: 'nope', function: 'IsNull' }] }, 400],
    ['filters.0.field.field: "nope" is no', { filters: [{ field: from('nope'), function: 'IsNull' }] }, 400],
    [
      'filters.0.field.model_id',
      { filters: [{ field: from('id', api.webhookId), function: 'IsNull' }] },
      400,
    ],
    ['filters.0.field_type: Target', { filters: [{ ...isNull, field_type: 'Target' }] }, 400],
    ['filters.0.function', { filters: [{ field_id: 'id', function: 'StringContains', value: '1' }] }, 400],
    ['filters.0.value', { filters: [{ field_id: 'id', function: 'Equality', value: 'one' }] }, 400],
    ['filters.1.label: a is', { filters: [isNull, isNull].map((one) => ({ ...one, label: 'a' })) }, 400],
    ['filter_logic: character 7: there', { filters: [isNull], filter_logic: 'A AND B' }, 400],
    ['filter_logic: character 1: there', { filter_logic: 'A' }, 400],
    ['filter_logic: does not use filter B', { filters: [isNull, isNull], filter_logic: 'A' }, 400],
    ['target.filter_logic', { target: target({ filter_logic: 'A' }) }, 400],
    ['overrides.0.field_id: "x" is no', { overrides: [{ field_id: 'x', function: 'IsNull' }] }, 400],
    ['fields.2.target', { override_fields: [{ target: 'nope', override_value: 'y' }] }],
    ['policies', { policies: [crypto.randomUUID()] }],
    ['No connection', { target: target({ connection_id: crypto.randomUUID() }) }, 404],
  ];
  for (const [named, more, status = 422] of cases) {
    const refused = await api.call('POST', '/api/syncs', api.syncBody(id, more));
    expect([named, refused.status, refused.body.message]).toEqual([
      named,
      status,
      expect.stringContaining(named),
    ]);
  }
});

test('targets: objects, fields, and what does not exist', async () => {
  const base = `/api/connections/${api.world.targetId}/modelsync`;
  const objects = await api.call('GET', `${base}/targetobjects`);
  expect(objects.body).toMatchObject({ target_creation: { supported: true } });
  const contacts = (objects.body.data as { id: string; modes: { id: string }[] }[]).find(
    (object) => object.id === 'public.contacts',
  );
  expect(contacts?.modes).toEqual(
    expect.arrayContaining([
      {
        id: 'updateOrCreate',
        requires_identity: true,
        supports_per_field_mode: true,
        supports_target_filters: false,
      },
    ]),
  );
  type Target = { fields: { id: string; required: boolean; createable: boolean }[] };
  const target = await api.data<Target>('GET', `${base}/target/fields?target=public.contacts&refresh=true`);
  expect(target.fields.map(({ id, required }) => [id, required])).toEqual([
    ['contact_id', true],
    ['email', true],
    ['extra', false],
    ['computed', false],
  ]);
  expect(target.fields[3]).toMatchObject({ createable: false, updateable: false });
  expect((await api.call('GET', `${base}/target/fields?target=public.nope`)).status).toBe(404);
  expect((await api.call('GET', `${base}/target/fields`)).status).toBe(400);
  expect(await api.data('GET', `${base}/targetobjects/properties/schema`)).toMatchObject({
    ...{ id: 'schema', enum: true, values: expect.arrayContaining([{ label: 'public', value: 'public' }]) },
  });
  expect((await api.call('GET', `${base}/targetobjects/properties/color`)).status).toBe(404);
});

test('nothing of another organization is found', async () => {
  const model = await api.newModel();
  const sync = await api.data<{ id: string }>('POST', '/api/syncs', api.syncBody(model.id));
  const requests: [Parameters<ModelSyncsApi['call']>[0], string, object?][] = [
    ['GET', `/api/models/${model.id}`],
    ['PUT', `/api/models/${model.id}`, api.modelBody()],
    ['DELETE', `/api/models/${model.id}`],
    ['GET', `/api/models/${model.id}/sample`],
    ['POST', '/api/models', api.modelBody()],
    ['GET', `/api/syncs/${sync.id}`],
    ['PUT', `/api/syncs/${sync.id}`, api.syncBody(model.id)],
    ['DELETE', `/api/syncs/${sync.id}`],
    ['POST', `/api/syncs/${sync.id}/activate`, { active: true }],
    ['POST', `/api/syncs/${sync.id}/cancel`],
    ['POST', `/api/syncs/${sync.id}/executions`],
    ['GET', `/api/syncs/${sync.id}/status`],
    ['GET', `/api/connections/${api.world.sourceId}/modelsync/source`],
    ['GET', `/api/connections/${api.world.targetId}/modelsync/targetobjects`],
    ['GET', `/api/connections/${api.world.targetId}/modelsync/target/fields?target=public.contacts`],
  ];
  for (const [method, url, body] of requests) {
    const answer = await api.call(method, url, body, { organizationId: api.stranger });
    expect([method, url, answer.status]).toEqual([method, url, 404]);
    const noUuid = await api.call(method, url.replace(/[0-9a-f-]{36}/, 'no-uuid'), body);
    if (url !== '/api/models') expect([url, noUuid.status]).toEqual([url, 404]);
  }
  const foreign = await api.call('POST', '/api/syncs', api.syncBody(model.id), {
    organizationId: api.stranger,
  });
  // Its target is looked up first, since its connector says which members the configuration may have.
  expect(foreign).toMatchObject({
    status: 404,
    body: { message: expect.stringContaining(`No connection with id ${api.world.targetId}`) },
  });
  expect(await api.data('GET', '/api/syncs', undefined, { organizationId: api.stranger })).toEqual([]);
});
