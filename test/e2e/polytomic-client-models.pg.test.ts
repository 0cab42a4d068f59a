/** Model syncs through the official npm client: what the modes do, and what is told of every record. */
import { type Polytomic, PolytomicClient } from 'polytomic';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { postgresqlConfiguration } from '../support/http.ts';
import { startReceiver } from '../support/receiver.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let metadata: TestDatabase;
let shop: TestDatabase;
let crm: TestDatabase;
let server: TestServer;
let client: PolytomicClient;
let target: string;
let model: string;

beforeAll(async () => {
  [metadata, shop, crm] = await Promise.all([createDatabase(), createDatabase(), createDatabase()]);
  await shop.query('create table customers (id bigint primary key, email text)');
  server = await startTestServer({ DATABASE_URL: metadata.url, TIDEMARK_EGRESS_ALLOW: '127.0.0.0/8' });
  client = new PolytomicClient({ environment: server.url, token: server.apiKey });
  const source = await connection('shop', shop.url);
  target = await connection('crm', crm.url);
  model = await newModel(source, 'public.customers');
});

afterAll(async () => {
  await server?.stop();
  for (const database of [metadata, shop, crm]) await database?.[Symbol.asyncDispose]();
});

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
  expect(read?.fields?.map(({ source: one }) => one?.model_id)).toEqual([created.id, enricher]);
});

async function connection(name: string, url: string): Promise<string> {
  const configuration = postgresqlConfiguration(url);
  return (await client.connections.create({ name, type: 'postgresql', configuration })).data?.id ?? '';
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

async function log(sync: string, execution: string, type: Polytomic.V2ExecutionLogType): Promise<unknown[]> {
  const { data } = await client.modelSync.executions.getLogUrls(sync, execution, type);
  const files = await Promise.all((data?.urls ?? []).map(async (url) => (await fetch(url)).json()));
  return (files as unknown[][]).flat();
}

async function contacts(): Promise<Record<string, string | null>> {
  const rows = await crm.query<{ id: string; email: string | null }>('select * from contacts order by id');
  return Object.fromEntries(rows.map(({ id, email }) => [id, email]));
}
