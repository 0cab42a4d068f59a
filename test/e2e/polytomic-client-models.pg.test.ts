/** Model syncs through the official npm client: what the modes do, and what is told of every record. */
import type { Polytomic, PolytomicClient } from 'polytomic';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { type ClientWorld, startClientWorld } from '../support/polytomic-client.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

let world: ClientWorld;
let shop: TestDatabase;
let crm: TestDatabase;
let client: PolytomicClient;
let target: string;
let model: string;

beforeAll(async () => {
  world = await startClientWorld();
  ({ client, source: shop, target: crm } = world);
  await shop.query('create table customers (id bigint, email text)');
  const source = await world.connection('shop', shop);
  target = await world.connection('crm', crm);
  model = await newModel(source, 'public.customers');
});

afterAll(() => world?.[Symbol.asyncDispose]());

beforeEach(async () => {
  await shop.query(
    `truncate customers; insert into customers select n, 'c' || n from generate_series(1, 4) n`,
  );
  await crm.query(`drop table if exists contacts;
    create table contacts (id bigint primary key, email text check (email <> 'refused'));
    insert into contacts values (2, 'old'), (3, 'c3'), (9, 'theirs')`);
});

test('what a table can do is told with each mode', async () => {
  const { data = [] } = await client.modelSync.targets.list(target);
  const modes = data?.find(({ id }) => id === 'public.contacts')?.modes ?? [];
  expect(modes.map(({ id, requires_identity }) => [id, requires_identity])).toEqual([
    ['create', false],
    ['update', true],
    ['updateOrCreate', true],
    ['append', false],
    ['replace', false],
    ['snapshot', false],
    ['remove', true],
  ]);
});

test.each(['replace', 'snapshot'] as const)('%s: afterwards the target is the model', async (mode) => {
  const sync = await newSync({ mode });
  const { id = '', counts } = await execute(sync);
  expect(counts).toMatchObject({ total: 4, insert: 2, update: 1, delete: 1, error: 0 });
  expect(await contacts()).toEqual({ 1: 'c1', 2: 'c2', 3: 'c3', 4: 'c4' });
  expect(await log(sync, id, 'deletes')).toEqual([{ id: '9', email: 'theirs' }]);
  expect(await log(sync, id, 'updates')).toEqual([{ id: '2', email: 'c2' }]);
  expect((await client.modelSync.get(sync)).data?.mode).toBe(mode);
});

test('remove: what the model has is deleted', async () => {
  const sync = await newSync({ mode: 'remove', fields: [] });
  const { id = '', counts } = await execute(sync);
  expect(counts).toMatchObject({ total: 4, delete: 2 });
  expect(await contacts()).toEqual({ 9: 'theirs' });
  expect(await log(sync, id, 'deletes')).toEqual([{ id: '2' }, { id: '3' }]);
});

test('a dry run tells what would happen, and writes nothing', async () => {
  const sync = await newSync({});
  const before = await contacts();
  const { counts } = await execute(sync, { test: true });
  expect(counts).toMatchObject({ total: 4, insert: 4, error: 0 });
  expect(await contacts()).toEqual(before);
  expect((await execute(sync)).counts).toMatchObject({ total: 4, insert: 2, update: 2 });
  expect((await execute(sync, { test: true })).counts).toMatchObject({ total: 0 });
});

test('a record that fails is told with its reason, the others arrive, and constants with them', async () => {
  await crm.query('alter table contacts add origin text');
  await shop.query(`update customers set email = 'refused' where id = 4`);
  const sync = await newSync({ override_fields: [{ target: 'origin', override_value: 'shop' }] });
  const { id = '', counts } = await execute(sync);
  expect(counts).toMatchObject({ total: 4, insert: 1, update: 2, error: 1, warnings: 0 });
  expect(await log(sync, id, 'errors')).toEqual([
    {
      identity: { id: '4' },
      reason: expect.stringContaining('contacts_email_check'),
      record: { id: '4', email: 'refused', origin: 'shop' },
    },
  ]);
  expect(await log(sync, id, 'records')).toHaveLength(4);
  expect(await log(sync, id, 'inserts')).toEqual([{ id: '1', email: 'c1', origin: 'shop' }]);
  expect(await log(sync, id, 'updates')).toHaveLength(2);
  expect(await log(sync, id, 'deletes')).toEqual([]);
  expect(await log(sync, id, 'warnings')).toEqual([]);
  const { data } = await client.modelSync.get(sync);
  expect(data?.fields?.map(({ target, override_value }) => [target, override_value])).toEqual([
    ['email', undefined],
    ['origin', 'shop'],
  ]);
});

test('a joined sync: fields of related models of other connections, and what changes in them', async () => {
  await crm.query(`drop table if exists levels;
    create table levels (contact text, level text);
    insert into levels values ('1', 'gold'), ('2', 'silver'), ('2', 'bronze')`);
  const levels = await client.models.create({
    body: { name: 'levels', connection_id: target, configuration: { table: 'public.levels' } },
  });
  const related = levels.data?.id ?? '';
  const relations = [{ from: 'id', to: { model_id: related, field: 'contact' } }];
  const { data: current } = await client.models.get(model);
  const body = {
    name: 'customers',
    connection_id: current?.connection_id ?? '',
    identifier: 'id',
    relations,
  };
  const joined = await client.models.create({
    body: { ...body, configuration: { table: 'public.customers' } },
  });
  const base = joined.data?.id ?? '';
  expect((await client.models.get(base)).data?.relations).toEqual(relations);
  const { data: sample } = await client.models.sample(base);
  expect(sample?.records).toContainEqual({
    [base]: { id: 1, email: 'c1' },
    [related]: { contact: '1', level: 'gold' },
  });

  const sync = await newSync({
    identity: { source: { model_id: base, field: 'id' }, target: 'id', function: 'Equality' },
    fields: [{ source: { model_id: related, field: 'level' }, target: 'email' }],
    filters: [{ field: { model_id: related, field: 'level' }, function: 'IsNotNull' }],
  });
  const { data: kept } = await client.modelSync.get(sync);
  expect(kept?.model_ids).toEqual([base, related]);
  expect(kept?.fields?.[0]?.source).toEqual({ model_id: related, field: 'level' });
  expect((await execute(sync)).counts).toMatchObject({ total: 2, insert: 1, update: 1 });
  expect(await contacts()).toEqual({ 1: 'gold', 2: 'bronze', 3: 'c3', 9: 'theirs' });
  await crm.query(
    `update levels set level = 'iron' where level = 'bronze'; insert into levels values ('3', 'gold')`,
  );
  const { id = '', counts } = await execute(sync);
  expect(counts).toMatchObject({ total: 2, update: 2 });
  expect(await log(sync, id, 'updates')).toEqual([
    { id: '2', email: 'iron' },
    { id: '3', email: 'gold' },
  ]);
  expect((await execute(sync)).counts).toMatchObject({ total: 0 });
});

test('fields in JSON and fields that are looked up: jobs find them, a sync maps them', async () => {
  await shop.query('alter table customers add profile jsonb');
  await shop.query(`update customers set profile = '{"plan": {"seats": 9007199254740993}}' where id <> 4`);
  await crm.query('alter table contacts add seats numeric, add company text');
  const service = await startReceiver();
  onTestFinished(() => service.close());
  service.behave(({ url }) =>
    url.endsWith('c3') ? 422 : { status: 200, body: `{"company": "of ${url.slice(1)}"}` },
  );
  const { data: lookup } = await client.connections.create({
    name: 'lookup',
    type: 'httpenrichment',
    configuration: { method: 'GET', url: `${service.url}/{{email}}` },
  });
  const connection_id = lookup?.id ?? '';
  expect((await client.models.post(connection_id)).data).toEqual([['email']]);
  expect((await client.models.getEnrichmentSource(connection_id)).data?.requires_one_of).toEqual([]);
  const source = (await client.models.get(model)).data?.connection_id ?? '';
  const body = {
    name: 'enriched',
    connection_id: source,
    configuration: { table: 'public.customers' },
    identifier: 'id',
    additional_fields: [{ name: 'profile.plan.seats', label: 'Seats', type: 'number' }],
    enricher: { connection_id, mappings: { email: 'email' }, fields: [{ name: 'company', type: 'string' }] },
  };
  const done = async (job: Polytomic.JobResponse | undefined) =>
    until(async () => {
      const { data } = await client.jobs.get(job?.job_id ?? '', job?.type ?? '');
      return data?.status === 'done' && (data.result as Polytomic.ModelResponse & Polytomic.ModelSample);
    });
  const preview = await done((await client.models.preview({ async: true, body })).job);
  expect(preview.fields?.at(-1)).toMatchObject({
    name: 'profile.plan.seats',
    label: 'Seats',
    user_added: true,
  });
  const created = await done((await client.models.create({ async: true, body })).job);
  const enricher = created.enricher?.enricher_id ?? '';
  const sample = await done((await client.models.sample(created.id ?? '', { async: true })).job);
  expect(sample.records).toHaveLength(4);
  expect(sample.records?.map((record) => record[enricher]?.company)).toContain('of c1');
  expect(sample.warnings).toContainEqual(expect.stringContaining('it answered 422'));

  const from = (model_id: string | undefined, field: string) => ({ model_id: model_id ?? '', field });
  const sync = await newSync({
    only_enrich_updates: true,
    identity: { source: from(created.id, 'id'), target: 'id', function: 'Equality' },
    fields: [
      { source: from(created.id, 'profile.plan.seats'), target: 'seats' },
      { source: from(enricher, 'company'), target: 'company' },
    ],
  });
  const { id = '', counts } = await execute(sync);
  expect(counts).toMatchObject({ total: 4, insert: 2, update: 1, error: 1 });
  expect(await log(sync, id, 'errors')).toEqual([
    { identity: { id: '3' }, reason: 'the enrichment failed: it answered 422: answered' },
  ]);
  expect(
    await crm.query('select id, seats::text, company from contacts where company is not null order by id'),
  ).toEqual([
    { id: '1', seats: '9007199254740993', company: 'of c1' },
    { id: '2', seats: '9007199254740993', company: 'of c2' },
    { id: '4', seats: null, company: 'of c4' },
  ]);
  const read = (await client.modelSync.get(sync)).data;
  expect(read?.only_enrich_updates).toBe(true);
  expect(read?.model_ids).toEqual([created.id]);
  expect(read?.fields?.map(({ source: one }) => one?.model_id)).toEqual([created.id, enricher]);
});

const logTypes = ['records', 'inserts', 'updates', 'deletes', 'errors', 'warnings'] as const;
const modes = ['create', 'update', 'updateOrCreate', 'append', 'replace', 'remove'] as const;

test.each(modes)(
  '%s: counts, six logs, event and target tell the same, failing records included',
  async (mode) => {
    // One that the target refuses, two of one identity, one without: none of them keeps the others.
    await shop.query(
      `insert into customers values (5, 'refused'), (6, 'twin'), (6, 'twin'), (null, 'nobody')`,
    );
    await crm.query(`update contacts set email = 'older' where id = 3`);
    const before = await contacts();
    const fields = ['id', 'email'].map((field) => ({ source: { model_id: model, field }, target: field }));
    const sync = await newSync(mode === 'append' ? { mode, identity: undefined, fields } : { mode });
    const { id = '', status, counts = {} } = await execute(sync);
    const after = await contacts();
    const logs = Object.fromEntries(
      await Promise.all(logTypes.map(async (type) => [type, await log(sync, id, type)] as const)),
    ) as Record<(typeof logTypes)[number], Record<string, unknown>[]>;

    expect(status).toBe('completed');
    const [was, is] = [Object.keys(before), Object.keys(after)];
    expect(ids(logs.inserts)).toEqual(is.filter((one) => !was.includes(one)));
    expect(ids(logs.deletes)).toEqual(was.filter((one) => !is.includes(one)));
    expect(ids(logs.updates)).toEqual(is.filter((one) => was.includes(one) && before[one] !== after[one]));
    expect(counts).toEqual({
      // What has no identity of its own cannot be offered.
      total: logs.records.length + 3,
      insert: logs.inserts.length,
      update: logs.updates.length,
      upserts: 0,
      delete: logs.deletes.length,
      error: logs.errors.length,
      warnings: logs.warnings.length,
    });
    expect(ids(logs.records)).toEqual(['1', '2', '3', '4', '5']);
    const invalid = logs.errors.filter(({ record }) => record === undefined);
    expect(invalid.map(({ identity }) => identity)).toEqual([{ id: '6' }, { id: '6' }, { id: null }]);
    const refused = { append: 3, create: 1, updateOrCreate: 1, replace: 1, update: 0, remove: 0 }[mode];
    expect(logs.errors.length).toBe(3 + refused);

    const { data: events } = await client.events.list({ type: 'sync.completed_with_errors', limit: 1 });
    expect(events?.[0]?.event).toMatchObject({ execution_id: id, number_of_errors: logs.errors.length });
  },
);

test('sync.completed: its counts and the logs that it links to tell what happened', async () => {
  const sync = await newSync({});
  await execute(sync);
  await shop.query(`update customers set email = 'new' where id < 3; insert into customers values (7, 'c7')`);
  const { id = '' } = await execute(sync);
  const { data: events } = await client.events.list({ type: 'sync.completed', limit: 1 });
  const event = events?.[0]?.event as Polytomic.SyncCompletedEvent;
  expect(event).toMatchObject({
    execution_id: id,
    record_count: 3,
    inserted_count: 1,
    updated_count: 2,
    error_count: 0,
    deleted_records: null,
    errored_records: null,
    warnings: null,
  });
  const read = async (links: string[] | null | undefined) => {
    const headers = { authorization: `Bearer ${world.server.apiKey}` };
    const files = await Promise.all((links ?? []).map(async (url) => (await fetch(url, { headers })).json()));
    return ids(files.flat() as Record<string, unknown>[]);
  };
  expect(await read(event.total_records)).toEqual(['1', '2', '7']);
  expect(await read(event.inserted_records)).toEqual(['7']);
  expect(await read(event.updated_records)).toEqual(['1', '2']);
});

function ids(entries: readonly Record<string, unknown>[]): string[] {
  return entries.map(({ id }) => String(id)).sort();
}

async function newModel(connection_id: string, table: string): Promise<string> {
  const body = { name: table, connection_id, configuration: { table }, identifier: 'id' };
  return (await client.models.create({ body })).data?.id ?? '';
}

async function newSync(
  settings: Partial<Parameters<PolytomicClient['modelSync']['create']>[0]>,
): Promise<string> {
  const from = (field: string) => ({ model_id: model, field });
  const sync = await client.modelSync.create({
    name: 'customers',
    mode: 'updateOrCreate',
    schedule: { frequency: 'manual' },
    identity: { source: from('id'), target: 'id', function: 'Equality' },
    fields: [{ source: from('email'), target: 'email' }],
    target: { connection_id: target, object: 'public.contacts' },
    ...settings,
  });
  return sync.data?.id ?? '';
}

async function execute(
  sync: string,
  options: { test?: boolean } = {},
): Promise<Polytomic.GetExecutionResponseSchema> {
  const started = await client.modelSync.start(sync, options);
  return until(async () => {
    const { data } = await client.modelSync.executions.get(sync, started.data?.id ?? '');
    return data?.completed_at ? data : undefined;
  });
}

async function log(
  sync: string,
  execution: string,
  type: Polytomic.V2ExecutionLogType,
): Promise<Record<string, unknown>[]> {
  const { data } = await client.modelSync.executions.getLogUrls(sync, execution, type);
  const files = await Promise.all((data?.urls ?? []).map(async (url) => (await fetch(url)).json()));
  return (files as Record<string, unknown>[][]).flat();
}

async function contacts(): Promise<Record<string, string | null>> {
  const rows = await crm.query<{ id: string; email: string | null }>('select * from contacts order by id');
  return Object.fromEntries(rows.map(({ id, email }) => [id, email]));
}
