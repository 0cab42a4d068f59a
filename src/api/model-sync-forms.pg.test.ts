import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ModelSyncsApi,
  startModelSyncsApi,
  type WireModel,
} from '../../test/support/model-syncs-api.ts';
import { getModelSync } from '../model-syncs/index.ts';

/** A request and an answer of one meaning in the forms of two generations of clients. */

interface Sync {
  id: string;
  filters: object[];
  filter_logic: string;
  target: object;
  model_filters?: { conditions: object[]; logic: string };
  target_filters?: object;
  identity?: object;
  identities?: object;
}

let api: ModelSyncsApi;
let model: WireModel;
const from = (field: string) => ({ model_id: model.id, field });

beforeAll(async () => {
  api = await startModelSyncsApi();
  model = await api.newModel();
  await api.world.source.query(
    `insert into customers select n, 'c' || n || '@example.com' from generate_series(2, 30) n`,
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const create = (more: object) => api.data<Sync>('POST', '/api/syncs', api.syncBody(model.id, more));
const update = (id: string, more: object) =>
  api.data<Sync>('PUT', `/api/syncs/${id}`, api.syncBody(model.id, more));
const refusal = async (more: object, id?: string) => {
  const body = api.syncBody(model.id, more);
  const answer = await (id === undefined
    ? api.call('POST', '/api/syncs', body)
    : api.call('PUT', `/api/syncs/${id}`, body));
  expect([400, 422]).toContain(answer.status);
  return answer.body.message;
};
const contacts = async () => {
  const rows = await api.world.target.query<{ id: number }>(
    'select contact_id::int id from contacts order by 1',
  );
  return rows.map(({ id }) => id);
};
/** Runs a sync as a worker would. */
async function execute(id: string, options = {}) {
  const { db, organizationId } = api.world;
  return api.world.execute(await getModelSync(db, organizationId, id), options);
}

const modelFilters = () => ({
  conditions: [
    { source: from('id'), function: 'LessThan', value: 5, label: 'is_small' },
    { source: from('email'), function: 'IsNotNull', label: 'mail' },
  ],
  logic: 'is_small and mail',
});

test('model_filters choose the records, and come back in both forms', async () => {
  const sync = await create({ model_filters: modelFilters() });
  expect(sync.model_filters).toEqual(modelFilters());
  expect(sync.filters).toEqual([
    { field: from('id'), field_type: 'Model', function: 'LessThan', value: 5, label: 'is_small' },
    { field: from('email'), field_type: 'Model', function: 'IsNotNull', label: 'mail' },
  ]);
  expect(sync.filter_logic).toBe('is_small and mail');
  expect((await execute(sync.id)).counts).toMatchObject({ total: 4, insert: 4 });
  expect(await contacts()).toEqual([1, 2, 3, 4]);
  // Clients before 2025-09-18 would send back what they do not know.
  const old = await api.data<Sync>('GET', `/api/syncs/${sync.id}`, undefined, { version: '2024-02-08' });
  expect(old).not.toHaveProperty('model_filters');
  expect(old).not.toHaveProperty('identities');
  const { filters, filter_logic } = old;
  expect((await update(sync.id, { filters, filter_logic })).model_filters).toEqual(modelFilters());
});

test('a sync saved in the older form is converted by the newer, and is never left without filters', async () => {
  const older = [{ field: from('id'), function: 'LessThan', value: 3 }];
  const sync = await create({ filters: older, filter_logic: '1' });
  expect(sync).toMatchObject({
    filter_logic: '1',
    model_filters: { conditions: [{ source: from('id'), label: 'A' }], logic: 'A' },
  });
  // Both forms, as they were read.
  const { filters, filter_logic, model_filters, target_filters, identity, identities } = sync;
  const read = { filters, filter_logic, model_filters, target_filters, identity, identities };
  expect(await update(sync.id, read)).toMatchObject({ filters, filter_logic, model_filters, identity });
  // Only one of them was edited.
  const edited = { ...read, filters: [{ ...older[0], value: 4 }] };
  expect(await refusal(edited, sync.id)).toContain('filters: says something else than model_filters');
  expect(await refusal({ ...read, model_filters: { conditions: [] } }, sync.id)).toContain('filters: says');
  expect(await api.data('GET', `/api/syncs/${sync.id}`)).toMatchObject({ filters, model_filters });
  const converted = await update(sync.id, { model_filters: modelFilters() });
  expect(converted.filters).toHaveLength(2);
  expect((await update(sync.id, { model_filters: {} })).filters).toEqual([]);
});

test('target_filters restrict what is updated', async () => {
  await api.world.target.query(`truncate contacts;
    insert into contacts (contact_id, email) select n, case when n < 4 then 'old' else 'kept' end from generate_series(1, 6) n`);
  const sync = await create({
    mode: 'update',
    fields: [{ source: from('email'), target: 'email' }],
    // A label is unique within its object only.
    model_filters: { conditions: [{ source: from('id'), function: 'IsNotNull', label: 'A' }] },
    target_filters: {
      conditions: [{ field: 'email', function: 'Equality', value: 'old', label: 'A' }],
      logic: 'A',
    },
  });
  expect(sync.target).toMatchObject({ filter_logic: 'A' });
  expect(sync.filters).toMatchObject([{ field_type: 'Model' }, { field_type: 'Target', field_id: 'email' }]);
  expect((await execute(sync.id)).counts).toMatchObject({ update: 3 });
  const kept = await api.world.target.query(`select from contacts where email = 'kept'`);
  expect(kept).toHaveLength(3);
  const { filters, filter_logic, target } = sync;
  const back = {
    target,
    mode: 'update',
    fields: [{ source: from('email'), target: 'email' }],
    filters,
    filter_logic,
  };
  expect(await update(sync.id, back)).toMatchObject({ target_filters: sync.target_filters });
});

test('what a newer filter cannot be is refused by its own name', async () => {
  const condition = { source: from('id'), function: 'LessThan', value: 5 };
  const filtered = (...conditions: object[]) => ({ model_filters: { conditions } });
  for (const [said, more] of [
    ['model_filters.conditions.0.source.field: "nope"', filtered({ ...condition, source: from('nope') })],
    [
      'model_filters.conditions.1.label: x is',
      filtered({ ...condition, label: 'x' }, { ...condition, label: 'x' }),
    ],
    ['model_filters.conditions.0.function', filtered({ ...condition, function: 'Nope' })],
    ['model_filters.logic', { model_filters: { conditions: [condition, condition], logic: 'A' } }],
    ['model_filters.conditions.0.lable', filtered({ ...condition, lable: 'x' })],
    [
      'target_filters.conditions.0: a filter of the target is for mode update',
      { target_filters: { conditions: [{ field: 'email', function: 'IsNull' }] } },
    ],
    [
      'target_filters.conditions.0.value_source',
      {
        target_filters: {
          conditions: [{ field: 'email', function: 'Equality', value_source: from('email') }],
        },
      },
    ],
    [
      'filters.0.field_id: names email, and field names id',
      {
        filters: [
          {
            field: from('id'),
            field_id: model.fields.find(({ name }) => name === 'email')?.id,
            function: 'IsNull',
          },
        ],
      },
    ],
  ] as const) {
    expect(await refusal(more)).toContain(said);
  }
});

test('identities is identity in the newer form; several mappings are refused', async () => {
  const mapping = { source: from('id'), target: 'contact_id', function: 'Equality' };
  const sync = await create({ identity: null, identities: { mappings: [mapping], strategy: 'and' } });
  expect(sync).toMatchObject({
    identity: mapping,
    identities: { mappings: [mapping], strategy: 'priority' },
  });
  const second = { source: from('email'), target: 'email', function: 'Equality' };
  for (const [said, more] of [
    [
      'identities.mappings.1: a sync is identified by one field',
      { identities: { mappings: [mapping, second] } },
    ],
    ['identity: says something else', { identities: { mappings: [second] } }],
    [
      'identities.mappings.0.source.field',
      { identity: null, identities: { mappings: [{ ...mapping, source: from('nope') }] } },
    ],
    [
      'identities.mappings.0.target',
      { identity: null, identities: { mappings: [{ ...mapping, target: 'nope' }] } },
    ],
    ['needs one', { identity: null, identities: { mappings: [] } }],
  ] as const) {
    expect(await refusal(more), said).toContain(said);
  }
});

test('an execution for some records: by value, or by source and value', async () => {
  await api.world.target.query('truncate contacts');
  const { id } = await create({});
  const start = (body: object) => api.call('POST', `/api/syncs/${id}/executions`, body);
  for (const [said, body] of [
    ['identities: is empty', { identities: [] }],
    ['source_identities: is empty', { source_identities: [] }],
    [
      'source_identities: says the same',
      { identities: ['1'], source_identities: [{ source: from('id'), value: '1' }] },
    ],
    [
      'source_identities.0: is one',
      {
        source_identities: [
          [
            { source: from('id'), value: '1' },
            { source: from('email'), value: 'x' },
          ],
        ],
      },
    ],
    [
      'source_identities.1.source: is not what identifies',
      {
        source_identities: [
          { source: from('id'), value: '1' },
          { source: from('email'), value: 'x' },
        ],
      },
    ],
    ['resnc (did you mean resync?)', { resnc: true }],
    ['identites (did you mean identities?)', { identites: ['1'] }],
  ] as const) {
    expect(await start(body), said).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining(said) },
    });
  }
  const source_identities = [[{ source: from('id'), value: '7' }], { source: from('id'), value: '9' }];
  expect(await start({ source_identities })).toMatchObject({ status: 200 });
  const { db } = api.world;
  const { options } = await db
    .selectFrom('executions')
    .select('options')
    .where('sync_id', '=', id)
    .executeTakeFirstOrThrow();
  expect(options).toMatchObject({ identities: ['7', '9'] });
  await api.call('POST', `/api/syncs/${id}/cancel`);
  const executed = await execute(id, { identities: ['7', '8', 'none', '8'] });
  expect(executed.counts).toMatchObject({ total: 2, insert: 2 });
  expect(await contacts()).toEqual([7, 8]);
  const { entries } = await api.data<{ entries: { message: string }[] }>(
    'GET',
    `/api/syncs/${id}/executions/${executed.id}/consolelog`,
  );
  expect(entries.map(({ message }) => message)).toContainEqual(
    '1 of the 3 identities that were asked for are not in the model: "none"',
  );
});

test('target.configuration is held against what the target reads', async () => {
  const target = (configuration: object) => ({
    target: { connection_id: api.webhookId, object: 'request', configuration },
  });
  expect(await refusal(target({ batchsize: 5 }))).toContain(
    'target.configuration.batchsize (did you mean batch_size?)',
  );
  expect(await refusal(target({ record_requests: true }))).toContain('target.configuration.record_requests');
});
