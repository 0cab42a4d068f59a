import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ModelSyncs, startModelSyncs } from '../../test/support/model-syncs.ts';
import { type Behaviour, type Receiver, startReceiver } from '../../test/support/receiver.ts';
import { until } from '../../test/support/until.ts';
import type { Model } from '../models/index.ts';
import { createModelSync } from './index.ts';

let world: ModelSyncs;
let service: Receiver;
let connectionId: string;

const fields = [
  { name: 'company.name', type: 'string' },
  { name: 'score', label: 'Score', type: 'number' },
];

beforeAll(async () => {
  world = await startModelSyncs();
  service = await startReceiver();
  connectionId = await world.connect('httpenrichment', {
    method: 'GET',
    url: `${service.url}/people/{{email}}`,
  });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await service.close();
});
beforeEach(async () => {
  service.requests.length = 0;
  service.behave(({ url }) => found(url));
  await world.source.query(`drop table if exists people cascade;
    create table people (id int primary key, email text, note text);
    insert into people select n, 'p' || n || '@x.test', 'n' from generate_series(1, 3) n`);
  await world.target.query(`drop table if exists known;
    create table known (id int primary key, company text, score numeric, note text)`);
  await world.db.deleteFrom('enrichment_cache').execute();
});

const found = (url: string): Behaviour => ({
  status: 200,
  body: `{"company": {"name": "of ${url.split('/').pop()}"}, "score": 9007199254740993.10}`,
});

const enrichedModel = (configuration: object = {}, connection = connectionId) =>
  world.createModel({ table: 'public.people' }, 'id', {
    enricher: {
      connection_id: connection,
      configuration: { ...configuration },
      mappings: { email: 'email' },
      fields,
    },
  });

function newSync(model: Model, more: object = {}) {
  const own = (field: string) => ({ model_id: model.id, field });
  const enriched = (field: string) => ({ model_id: model.enricher?.id ?? '', field });
  return createModelSync(world.deps, world.organizationId, world.actor, {
    name: 'enriched',
    mode: 'updateOrCreate',
    schedule: {},
    target: { connection_id: world.targetId, object: 'public.known' },
    identity: { source: own('id'), target: 'id', function: 'Equality' },
    fields: [
      { source: enriched('company.name'), target: 'company' },
      { source: enriched('score'), target: 'score' },
      { source: own('note'), target: 'note' },
    ],
    ...more,
  });
}

const target = () => world.target.query('select id, company, score::text, note from known order by id');
const row = (id: number, note = 'n') => ({
  id,
  company: `of p${id}%40x.test`,
  score: '9007199254740993.10',
  note,
});
const asked = () => service.requests.map(({ url }) => url.split('/').pop()).sort();

test('looked up once, exact, from the cache until the record changes', async () => {
  const sync = await newSync(await enrichedModel());
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3, error: 0 });
  expect(await target()).toEqual([row(1), row(2), row(3)]);
  expect(asked()).toEqual(['p1%40x.test', 'p2%40x.test', 'p3%40x.test']);
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  await world.source.query(
    `update people set email = 'p9@x.test' where id = 2; update people set note = 'm' where id = 3`,
  );
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, update: 2 });
  expect(asked()).toHaveLength(4);
  expect(await target()).toEqual([row(1), { ...row(9), id: 2 }, row(3, 'm')]);
});

test('a failed lookup is an error of its record, offered again; nothing to ask, and no match, are NULL', async () => {
  await world.source.query(
    `update people set email = null where id = 3; insert into people values (4, 'gone@x.test', 'n')`,
  );
  service.behave(({ url }) => (url.includes('gone') ? 404 : url.includes('p2') ? 422 : found(url)));
  const model = await enrichedModel();
  const sync = await newSync(model);
  const first = await world.execute(sync);
  expect(first.counts).toMatchObject({ total: 4, insert: 3, error: 1 });
  expect(await world.log(first.id, 'errors')).toEqual([
    { identity: { id: '2' }, reason: 'the enrichment failed: it answered 422: answered' },
  ]);
  const nothing = { company: null, score: null, note: 'n' };
  expect(await target()).toEqual([row(1), { id: 3, ...nothing }, { id: 4, ...nothing }]);
  const told = await world.db
    .selectFrom('execution_console')
    .select('message')
    .where('execution_id', '=', first.id)
    .execute();
  expect(told.map(({ message }) => message)).toContainEqual(
    expect.stringMatching(
      /^Enrichment by httpenrichment .*: 3 looked up, 0 known, 1 of which .* nothing, 1 failed$/,
    ),
  );
  service.behave(({ url }) => found(url));
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1, error: 0 });

  // In mode replace the row of a record that is not whole stays as it is.
  await world.db.deleteFrom('enrichment_cache').execute();
  service.behave(({ url }) => (url.includes('p1') ? 422 : found(url)));
  const replaced = await world.execute(await newSync(model, { mode: 'replace' }));
  expect(replaced.counts).toEqual({ total: 4, update: 1, error: 1 });
  expect((await target())[0]).toEqual(row(1));
});

test('what passes is tried again; a service that asks to wait gets no request meanwhile', async () => {
  const times: number[] = [];
  service.behave(({ url }, index) => {
    times.push(performance.now());
    if (index === 0) return { status: 429, headers: { 'retry-after': '1' } };
    return index === 1 ? 503 : found(url);
  });
  const sync = await newSync(await enrichedModel({ concurrency: 1 }));
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3, error: 0 });
  expect(service.requests).toHaveLength(5);
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

test('a token endpoint that is busy is waited for, and no record fails for it', async () => {
  const authorized = await world.connect('httpenrichment', {
    method: 'GET',
    url: `${service.url}/people/{{email}}`,
    auth: { oauth: { client_id: 'id', client_secret: 's', token_endpoint: `${service.url}/token` } },
  });
  const token: Behaviour = { status: 200, body: '{"access_token":"t"}' };
  const answers: Behaviour[] = [{ status: 429, headers: { 'retry-after': '1' } }, 503, 503, 500, token];
  const times: number[] = [];
  service.behave(({ url, headers }) => {
    if (url !== '/token') return headers.authorization === 'Bearer t' ? found(url) : 401;
    times.push(performance.now());
    return answers[times.length - 1];
  });
  const { outcome, counts } = await world.execute(await newSync(await enrichedModel({}, authorized)));
  expect(outcome).toEqual({ status: 'completed' });
  expect(counts).toMatchObject({ total: 3, insert: 3, error: 0 });
  // As long as it asks for, and where it does not say so, longer each time.
  const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const least = [990, 490, 990, 490];
  expect(waits.map((wait, index) => wait >= (least[index] ?? 0))).toEqual([true, true, true, true]);
});

test('while a service takes its time, nothing is open in the source', async () => {
  service.behave(() => 'hang');
  const sync = await newSync(await enrichedModel());
  const executed = world.execute(sync);
  await service.received(3);
  const reading = `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and application_name = 'tidemark model read'`;
  expect(await until(async () => (await world.source.query(reading)).length === 0)).toBe(true);
  service.behave(({ url }) => found(url));
  service.drop();
  expect((await executed).counts).toMatchObject({ total: 3, insert: 3, error: 0 });
});

test('a service that answers one at a time gets its time: no record fails for it', async () => {
  await world.source.query(
    `insert into people select n, 'p' || n || '@x.test', 'n' from generate_series(4, 8) n`,
  );
  let free = 0;
  service.behave(({ url }) => {
    if (performance.now() < free) return { status: 429, headers: { 'retry-after': '0.2' } };
    free = performance.now() + 150;
    return found(url);
  });
  const sync = await newSync(await enrichedModel({ concurrency: 8 }));
  expect((await world.execute(sync)).counts).toMatchObject({ total: 8, insert: 8, error: 0 });
  expect(service.requests.length).toBeGreaterThan(16);
});

test('a service that asks to wait for too long fails the execution', async () => {
  service.behave(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
  const { outcome } = await world.execute(await newSync(await enrichedModel()));
  expect(outcome).toMatchObject({
    status: 'failed',
    errors: [expect.stringMatching(/asks to wait for more than 5 minutes/)],
  });
});

test('a service that refuses everybody fails the execution, and what is known already is not asked again', async () => {
  const model = await enrichedModel({ concurrency: 1 });
  const sync = await newSync(model);
  service.behave(({ url }, index) => (index < 2 ? found(url) : 401));
  const refused = await world.execute(sync);
  expect(refused.outcome).toEqual({
    status: 'failed',
    errors: [
      'The model could not be read: the enrichment service takes no request: it answered 401: answered',
    ],
  });
  service.requests.length = 0;
  service.behave(({ url }) => found(url));
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3 });
  expect(service.requests).toHaveLength(1);
});

test('only_enrich_updates: what is looked up is looked up for records that changed themselves', async () => {
  const sync = await newSync(await enrichedModel(), { only_enrich_updates: true });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 3, insert: 3 });
  await world.db.deleteFrom('enrichment_cache').execute();
  service.requests.length = 0;
  service.behave(() => ({ status: 200, body: '{"company": {"name": "new"}, "score": 1}' }));
  expect((await world.execute(sync)).counts).toMatchObject({ total: 0 });
  expect(service.requests).toHaveLength(0);
  await world.source.query(
    `update people set note = 'm' where id = 1; update people set email = 'q@x.test' where id = 2`,
  );
  expect((await world.execute(sync)).counts).toMatchObject({ total: 2, update: 2 });
  expect(asked()).toEqual(['p1%40x.test', 'q%40x.test']);
  expect((await target()).map(({ company }) => company)).toEqual(['new', 'new', 'of p3%40x.test']);
});

test('only_enrich_updates is refused where it would say nothing', async () => {
  const model = await enrichedModel();
  const refused = newSync(model, { only_enrich_updates: true, mode: 'replace' });
  await expect(refused).rejects.toThrow('only_enrich_updates: mode replace always sends the whole model');
  const anonymous = await world.createModel({ table: 'public.people' });
  const without = { only_enrich_updates: true, mode: 'append', identity: undefined };
  const fields = [{ source: { model_id: anonymous.id, field: 'id' }, target: 'id' }];
  await expect(newSync(anonymous, { ...without, fields })).rejects.toThrow(
    'only_enrich_updates: needs an identity',
  );
});

test('filters ask the source first, and look up what is left', async () => {
  const model = await enrichedModel();
  const sync = await newSync(model, {
    filters: [
      { field: { model_id: model.id, field: 'id' }, function: 'LessThan', value: 3 },
      {
        field: { model_id: model.enricher?.id, field: 'company.name' },
        function: 'StringContains',
        value: 'p2',
      },
    ],
  });
  expect((await world.execute(sync)).counts).toMatchObject({ total: 1, insert: 1 });
  expect(asked()).toEqual(['p1%40x.test', 'p2%40x.test']);
});

test('inputs are spelled as JSON spells them', async () => {
  const everything = await world.connect('httpenrichment', {
    method: 'POST',
    url: service.url,
    body: '{"at":"{{at}}","yes":"{{yes}}","n":"{{n}}","doc":"{{doc}}","text":"{{text}}"}',
  });
  const query = `select 1 as id, timestamptz '2024-02-29 23:59:59.5+00' as at, true as yes, 9007199254740993.10 as n,
    '{"a": 1}'::jsonb as doc, '"quoted"' as text`;
  const names = ['at', 'yes', 'n', 'doc', 'text'];
  const model = await world.createModel({ query }, 'id', {
    enricher: {
      connection_id: everything,
      mappings: Object.fromEntries(names.map((name) => [name, name])),
      fields: [{ name: 'company.name' }, { name: 'score', type: 'number' }],
    },
  });
  const fields = [{ source: { model_id: model.enricher?.id, field: 'score' }, target: 'score' }];
  expect((await world.execute(await newSync(model, { fields }))).counts).toMatchObject({
    insert: 1,
    error: 0,
  });
  expect(service.requests.map(({ body }) => JSON.parse(body.toString()) as unknown)).toEqual([
    {
      at: '2024-02-29T23:59:59.5Z',
      yes: 'true',
      n: '9007199254740993.10',
      doc: '{"a": 1}',
      text: '"quoted"',
    },
  ]);
});

test('it goes together with related models', async () => {
  await world.source.query(`drop table if exists cities; create table cities (person int, city text);
    insert into cities values (1, 'Kiel'), (2, 'Bonn')`);
  const cities = await world.createModel({ table: 'public.cities' });
  const model = await world.createModel({ table: 'public.people' }, 'id', {
    enricher: { connection_id: connectionId, mappings: { email: 'email' }, fields },
    relations: [{ from: 'id', to: { model_id: cities.id, field: 'person' } }],
  });
  const more = {
    fields: [
      { source: { model_id: model.enricher?.id, field: 'company.name' }, target: 'company' },
      { source: { model_id: cities.id, field: 'city' }, target: 'note' },
    ],
  };
  const [all, own] = [
    await newSync(model, more),
    await newSync(model, { ...more, only_enrich_updates: true }),
  ];
  expect((await world.execute(all)).counts).toMatchObject({ total: 3, insert: 3, error: 0 });
  expect((await target()).map(({ company, note }) => [company, note])).toEqual([
    ['of p1%40x.test', 'Kiel'],
    ['of p2%40x.test', 'Bonn'],
    ['of p3%40x.test', null],
  ]);
  expect((await world.execute(own)).counts).toMatchObject({ total: 3, update: 3 });
  await world.source.query(`update cities set city = 'Köln' where person = 2`);
  expect((await world.execute(own)).counts).toMatchObject({ total: 0 });
  expect((await world.execute(all)).counts).toMatchObject({ total: 1, update: 1 });
});
