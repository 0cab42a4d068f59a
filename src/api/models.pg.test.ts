import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import { tasksInProcess } from '../../test/support/tasks-in-process.ts';
import { until } from '../../test/support/until.ts';
import { postgresql } from '../connectors/postgresql/index.ts';
import { startJobs } from '../jobs/index.ts';
import { changeModel } from '../model-syncs/index.ts';
import { modelJobQueue, modelJobTask, modelJobTaskOf, startModelJobWorker } from '../models/index.ts';

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

test('a query can only read: nothing that it says changes the source', async () => {
  await source.query(`create table untouched (id int); insert into untouched values (1);
    create sequence numbers;
    create function writes() returns int volatile language plpgsql as
      'begin insert into untouched values (2); return 1; end'`);
  const model = (query: string) => ({ name: 'm', connection_id: sourceId, configuration: { query } });
  const refused = (answer: { status: number; body: unknown }) =>
    expect(answer).toMatchObject({ status: 400, body: { key: 'invalid_query' } });
  for (const query of [
    'delete from untouched returning *',
    'with d as (delete from untouched returning *) select * from d',
    'select 1; delete from untouched',
    'select 1) as model limit 0; delete from untouched; select * from (select 1',
    'select 1) to stdout; delete from untouched; copy (select 1',
    'select 1 into made',
    'create table made as select 1',
    'copy untouched to stdout',
    'select * from untouched for update',
    `select set_config('transaction_read_only', 'off', false), writes()`,
    'commit',
  ]) {
    refused(await call('POST', '/api/model-preview', model(query)));
  }
  for (const query of ['select writes()', `select nextval('numbers')`, `select setval('numbers', 7)`]) {
    const created = await newModel({ query });
    refused(await call('GET', `/api/models/${created.id}/sample`));
  }
  expect(await source.query('select id, (select last_value from numbers) as n from untouched')).toEqual([
    { id: 1, n: '1' },
  ]);
  expect(await data('POST', '/api/model-preview', model('select 1 as a -- the last word'))).toBeDefined();
});

test('a query that takes too long is ended, and the answer says so', async () => {
  const session = postgresql.open(postgresqlConfiguration(source.url), {
    egress: world.deps.egress,
    lookTimeout: 300,
  });
  onTestFinished(() => session.close());
  await expect(session.modelSource?.sample({ query: 'select pg_sleep(60) as a' }, ['a'], 1)).rejects.toThrow(
    'The query failed: it takes longer than 0.3 seconds',
  );
  const asleep = `select from pg_stat_activity
    where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()`;
  expect(await source.query(asleep)).toEqual([]);
});

const modelJobs = () => tasksInProcess({ [modelJobTask]: modelJobTaskOf({ ...world.deps, changeModel }) });

test('with async=true a worker answers: create, update, preview, sample', async () => {
  const jobs = await startJobs(world.database.url, [modelJobQueue], 'work', () => {});
  const worker = await startModelJobWorker({ ...world.deps, jobs, tasks: modelJobs() });
  onTestFinished(async () => {
    await worker.stop();
    await jobs.stop();
  });
  await source.query('create table later (id bigint); insert into later values (9007199254740993)');
  const body = { name: 'later', connection_id: sourceId, configuration: { table: 'public.later' } };
  const ended = async (method: 'GET' | 'POST' | 'PUT', url: string, sent?: object) => {
    const { status, body: answer } = await call(method, `${url}?async=true`, sent);
    expect(status).toBe(202);
    const { job } = answer as { job: { job_id: string; type: string; status: string } };
    expect(job).toMatchObject({ status: 'created', error: null });
    const path = `/api/jobs/${job.type}/${job.job_id}`;
    return until(async () => {
      const found = await data<{ status: string; error: string; result: WireModel }>('GET', path);
      return ['done', 'failed'].includes(found.status) && { ...found, path };
    });
  };
  expect((await ended('POST', '/api/model-preview', body)).result).toMatchObject({
    fields: [{ name: 'id' }],
  });
  const { result: created } = await ended('POST', '/api/models', body);
  expect(await data('GET', `/api/models/${created.id}`)).toEqual(created);
  const updated = await ended('PUT', `/api/models/${created.id}`, { ...body, identifier: 'id' });
  expect(updated.result).toMatchObject({ id: created.id, identifier: 'id', version: 1 });
  const sampled = await ended('GET', `/api/models/${created.id}/sample`);
  expect(await text(sampled.path)).toContain(
    `"result":{"records":[{"${created.id}":{"id":9007199254740993}}]`,
  );
  const failed = await ended('POST', '/api/models', { ...body, configuration: { query: 'selec' } });
  expect(failed).toMatchObject({
    status: 'failed',
    error: expect.stringMatching(/^The query failed: at its end: syntax error/),
  });
  expect(failed.result).toBeUndefined();

  // Neither under another type nor by another tenant.
  expect((await call('GET', sampled.path.replace('samplemodel', 'createmodel'))).status).toBe(404);
  expect((await call('GET', sampled.path.replace('samplemodel', 'nosuch'))).status).toBe(400);
  const { apiKey } = await world.tenant('stranger');
  expect((await world.request(apiKey, 'GET', sampled.path)).status).toBe(404);
  const { rows } = await sql<{ row: string }>`select row_to_json(j)::text as row from model_jobs j`.execute(
    world.database.db,
  );
  expect(rows.map(({ row }) => row).join()).not.toContain('9007199254740993');
});

test('an enricher: what it takes, what is refused, how it is sampled and kept', async () => {
  const service = await startReceiver();
  onTestFinished(() => service.close());
  service.behave(({ url }) =>
    url.endsWith('/2') ? 404 : { status: 200, body: '{"n":9007199254740993,"a":[1]}' },
  );
  const connect = (configuration: object) => {
    const connection = { name: crypto.randomUUID(), type: 'httpenrichment', configuration };
    return call('POST', '/api/connections', connection);
  };
  expect((await connect({ method: 'GET', url: service.url })).body).toMatchObject({
    message: expect.stringContaining('has no {{input}}'),
  });
  const { body } = await connect({ method: 'GET', url: `${service.url}/{{ id }}` });
  const { id: connection_id, type } = (body as { data: { id: string; type: object } }).data;
  expect(type).toMatchObject({ id: 'httpenrichment', operations: ['enrichment'] });
  expect(await data('POST', `/api/enrichment/${connection_id}/inputfields`, {})).toEqual([['id']]);
  expect((await call('POST', `/api/enrichment/${sourceId}/inputfields`)).status).toBe(404);
  const base = `/api/connections/${connection_id}/modelsync`;
  expect(await data('GET', `${base}/enrichment-source`)).toMatchObject({ requires_one_of: [] });
  expect((await call('GET', `/api/connections/${sourceId}/modelsync/enrichment-source`)).status).toBe(404);
  expect((await call('GET', `${base}/source`)).status).toBe(400);

  await source.query(
    'create table plain (id int, other text); insert into plain values (1, null), (2, null)',
  );
  const fields = [{ name: 'n', type: 'number', label: 'Number' }];
  const enricher = { connection_id, mappings: { id: 'id' }, fields };
  const request = { name: 'e', connection_id: sourceId, configuration: { table: 'public.plain' }, enricher };
  for (const [place, wrong] of [
    ['enricher.mappings', { mappings: { nope: 'id' } }],
    ['enricher.mappings', { mappings: { id: 'nope' } }],
    ['enricher.mappings', { mappings: {} }],
    ['enricher.connection_id', { connection_id: sourceId }],
    ['enricher.enricher_id', { enricher_id: sourceId }],
    ['enricher.fields.0.name', { fields: [{ name: 'a..b' }] }],
    ['enricher.fields.0.type', { fields: [{ name: 'a', type: 'binary' }] }],
    ['configuration.cache_hours', { configuration: { cache_hours: 0 } }],
  ] as const) {
    const refused = await call('POST', '/api/models', { ...request, enricher: { ...enricher, ...wrong } });
    expect(refused).toMatchObject({ status: 400, body: { metadata: { field: place } } });
  }
  const created = await data<WireModel & { enricher: { enricher_id: string } }>(
    'POST',
    '/api/models',
    request,
  );
  const { enricher_id } = created.enricher;
  expect(created.enricher).toMatchObject({
    ...enricher,
    fields: [{ name: 'n', label: 'Number', type: 'number' }],
  });
  const own = (id: number) => `"${created.id}":{"id":${id},"other":null}`;
  expect(await text(`/api/models/${created.id}/sample`)).toBe(
    `{"data":{"records":[{${own(1)},"${enricher_id}":{"n":9007199254740993}},{${own(2)},"${enricher_id}":{"n":null}}],` +
      `"warnings":["Enrichment by ${(body as { data: { name: string } }).data.name}: 2 looked up, 0 known, 1 of which the service has nothing, 0 failed"]}}`,
  );

  const changed = { ...request, enricher: { connection_id, mappings: { id: 'id' }, enricher_id } };
  expect(await data('PUT', `/api/models/${created.id}`, changed)).toMatchObject({
    enricher: { enricher_id, fields: [{ name: 'response', type: 'object' }] },
  });
  expect(await text(`/api/models/${created.id}/sample`)).toContain(
    '"response":{"n":9007199254740993,"a":[1]}',
  );
  expect(await call('DELETE', `/api/connections/${connection_id}`)).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('in use by model e') },
  });
  await call('DELETE', `/api/connections/${connection_id}?force=true`);
  expect((await call('GET', `/api/models/${created.id}/sample`)).status).toBe(404);
});

test('a job that two workers have makes one model', async () => {
  const jobs = await startJobs(world.database.url, [modelJobQueue], 'work', () => {});
  const body = { name: 'once', connection_id: sourceId, configuration: { query: 'select 1 as a' } };
  const { body: answer } = await call('POST', '/api/models?async=true', body);
  const { job_id } = (answer as { job: { job_id: string } }).job;
  const again = Array.from({ length: 3 }, () => ({ data: { modelJobId: job_id } }));
  await world.jobs.insert(world.database.db, modelJobQueue, again);
  const workers = [
    await startModelJobWorker({ ...world.deps, jobs, tasks: modelJobs() }),
    await startModelJobWorker({ ...world.deps, jobs, tasks: modelJobs() }),
  ];
  onTestFinished(async () => {
    for (const worker of workers) await worker.stop();
    await jobs.stop();
  });
  const left = sql<{ n: string }>`select count(*) as n from tidemark_jobs.job
    where name = ${modelJobQueue.name} and state < 'completed'`;
  await until(async () => Number((await left.execute(world.database.db)).rows[0]?.n) === 0);
  const models = await data<{ name: string }[]>('GET', '/api/models');
  expect(models.filter(({ name }) => name === 'once')).toHaveLength(1);
  expect(await data('GET', `/api/jobs/createmodel/${job_id}`)).toMatchObject({ status: 'done', error: null });
});

test('tables, views and queries are chosen step by step', async () => {
  await source.query(`create table steps (id int, name text); insert into steps values (1, 'one');
    create view seen as select id from steps; create materialized view kept as select name from steps`);
  const base = `/api/connections/${sourceId}/modelsync/source`;
  interface Meta {
    items: Record<string, { items: string[] | null }>;
    requires_one_of: string[];
  }
  const first = await data<Meta>('GET', base);
  expect(first.requires_one_of).toEqual(['query', 'table', 'view']);
  expect(first.items.view?.items).toEqual(
    expect.arrayContaining(['public.steps', 'public.seen', 'public.kept']),
  );
  const second = await data<Meta>('GET', `${base}?params=${encodeURIComponent('{"view":["public.seen"]}')}`);
  expect(second.requires_one_of).toEqual([]);
  expect(second.items.tracking_columns?.items).toEqual(['id']);
  for (const [configuration, record] of [
    [{ table: 'public.steps' }, { id: 1, name: 'one' }],
    [{ view: 'public.seen' }, { id: 1 }],
    [{ view: 'public.kept' }, { name: 'one' }],
    [{ query: 'select id + 1 as id from seen;' }, { id: 2 }],
  ] as const) {
    const params = encodeURIComponent(JSON.stringify(configuration));
    const fields = await data<{ name: string }[]>('GET', `${base}/fields?params=${params}`);
    expect(fields.map(({ name }) => name)).toEqual(Object.keys(record));
    const model = await newModel(configuration, { labels: ['a', 'b'] });
    expect(await data('GET', `/api/models/${model.id}/sample`)).toMatchObject({
      records: [{ [model.id]: record }],
    });
    expect(model).toMatchObject({ labels: [{ name: 'a' }, { name: 'b' }] });
  }
  expect((await call('GET', `${base}?table=public.none`)).status).toBe(404);
  expect((await call('GET', `${base}/fields?table=public.none`)).status).toBe(400);
});

test('a worker that is stopped hands its job on', async () => {
  const startWorker = async () => {
    const jobs = await startJobs(world.database.url, [modelJobQueue], 'work', () => {});
    const worker = await startModelJobWorker({ ...world.deps, jobs, tasks: modelJobs() });
    return async () => {
      await worker.stop();
      await jobs.stop();
    };
  };
  const stopFirst = await startWorker();
  const model = await newModel({ query: 'select pg_advisory_xact_lock_shared(7)::text as s, 7 as a' });
  // Whoever reads the model waits for who holds the lock.
  const lock = await source.hold('select pg_advisory_xact_lock(7)');
  const { body } = await call('GET', `/api/models/${model.id}/sample?async=true`);
  const { job_id } = (body as { job: { job_id: string } }).job;
  const reading = `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory' and application_name like 'tidemark%'`;
  await until(async () => (await source.query(reading)).length > 0);
  await stopFirst();
  expect(await data('GET', `/api/jobs/samplemodel/${job_id}`)).toMatchObject({ status: 'running' });
  onTestFinished(await startWorker());
  await lock.release();
  const ended = await until(async () => {
    const job = await data<{ status: string }>('GET', `/api/jobs/samplemodel/${job_id}`);
    return job.status !== 'running' && job;
  });
  expect(ended).toMatchObject({ status: 'done', result: { records: [{ [model.id]: { s: '', a: 7 } }] } });
});
