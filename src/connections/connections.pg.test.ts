import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { queryDuckDB } from '../../test/support/duckdb.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { until } from '../../test/support/until.ts';

let api: TestApp;
let tenant: Tenant;
let source: TestDatabase;
let configuration: Record<string, unknown>;
const secret = 'the-password-that-nobody-may-see';

beforeAll(async () => {
  api = await startTestApp();
  tenant = await api.tenant('connections');
  source = await createDatabase();
  await source.query(
    'create table things (id int primary key, name text); insert into things values (1, $$one$$)',
  );
  configuration = postgresqlConfiguration(source.url);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

interface Answer {
  status: number;
  body: {
    data: { id: string; name: string; configuration: Record<string, unknown> };
    key?: string;
    message?: string;
  };
}
const call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
  api.request(tenant.apiKey, method, url, body) as Promise<Answer & { headers: Record<string, unknown> }>;

const create = (name: string, changes: object = {}, more: object = {}) =>
  call('POST', '/api/connections', {
    name,
    type: 'postgresql',
    configuration: { ...configuration, ...changes },
    ...more,
  });

test('secrets are masked on every read and sealed at rest; the mask sent back changes nothing', async () => {
  const made = await create('sealed', { password: secret }, { validate: false });
  const { id } = made.body.data;
  const read = await call('GET', `/api/connections/${id}`);
  expect(read.body.data.configuration.password).toBe('********');
  const put = { name: 'renamed', configuration: read.body.data.configuration, validate: false };
  const updated = await call('PUT', `/api/connections/${id}`, put);
  expect(updated.body.data).toMatchObject({ name: 'renamed', configuration: { password: '********' } });
  // Clients that keep the secrets elsewhere leave out what did not change.
  const { password: _, ...others } = configuration;
  const left = await call('PUT', `/api/connections/${id}`, { ...put, configuration: others });
  expect(left).toMatchObject({ status: 200, body: { data: { configuration: { password: '********' } } } });
  const listed = await call('GET', '/api/connections');
  expect(JSON.stringify([made.body, read.body, updated.body, listed.body])).not.toContain(secret);
  // A copy of what was shown has no secret.
  const copied = await create('copied', { password: '********' }, { validate: false });
  expect(copied).toMatchObject({ status: 422, body: { metadata: { field: 'configuration.password' } } });

  const [row] = await api.database.query<{ row: string; secrets: Buffer }>(
    'select c::text as row, secrets from tidemark.connections c where id = $1',
    [id],
  );
  expect(row?.row).not.toContain(secret);
  expect(api.deps.keyRing.open(row?.secrets ?? Buffer.alloc(0))).toContain(secret);
});

test('a secret is not sent to another server than it was stored for, not even to try it', async () => {
  const heard: net.Socket[] = [];
  const listener = net.createServer((socket) => heard.push(socket)).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const made = await create('guarded');
  const { id } = made.body.data;
  const url = `/api/connections/${id}`;
  const masked = (await call('GET', url)).body.data.configuration;
  const refused = {
    status: 422,
    body: { message: expect.stringMatching(/configuration\.password.*again.*port/) },
  };
  const moved = { name: 'guarded', configuration: { ...masked, port } };
  expect(await call('PUT', url, { ...moved, validate: false })).toMatchObject(refused);
  expect(await call('PUT', url, moved)).toMatchObject(refused);
  const tried = { type: 'postgresql', connection_id: id };
  const test = (changes: object) =>
    call('POST', '/api/connections/test', { ...tried, configuration: changes });
  expect(await test({ ...masked, port })).toMatchObject(refused);
  // Left out, it is not taken from what is stored either.
  expect(await test({ port })).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('configuration.password') },
  });
  expect(heard).toEqual([]);
  listener.close();

  expect((await test({ username: masked.username })).status).toBe(200);
  expect((await test(masked)).status).toBe(200);
  const renamed = { name: 'guarded', configuration: { ...masked, database: 'postgres' } };
  expect((await call('PUT', url, renamed)).status).toBe(200);
  const given = { ...masked, hostname: 'localhost', password: configuration.password };
  expect((await call('PUT', url, { name: 'guarded', configuration: given })).status).toBe(200);
});

test('a connection is tried before it is stored, unless told otherwise', async () => {
  const refused = await create('wrong', { password: secret });
  expect(refused).toMatchObject({ status: 400, body: { key: 'connection_failed' } });
  expect(JSON.stringify(refused.body)).not.toContain(secret);
  const unreachable = await create('unreachable', { port: 1 });
  expect(unreachable).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining('ECONNREFUSED') },
  });
  expect((await call('GET', '/api/connections')).body.data).not.toContainEqual(
    expect.objectContaining({ name: 'wrong' }),
  );
});

test('a bad configuration names the key; an unknown type and a taken name are refused', async () => {
  expect(await create('bad', { port: 'many' })).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('configuration.port') },
  });
  expect(await create('bad', { hostname: undefined })).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('configuration.hostname') },
  });
  const unknown = await call('POST', '/api/connections', { name: 'x', type: 'oracle', configuration: {} });
  expect(unknown).toMatchObject({ status: 422, body: { message: expect.stringContaining('oracle') } });
  expect((await create('twice')).status).toBe(200);
  expect(await create('twice')).toMatchObject({
    status: 422,
    body: { message: expect.stringContaining('twice') },
  });
});

test('testing lays the sent keys over the stored ones and stores nothing', async () => {
  const { id } = (await create('tested')).body.data;
  const path = '/api/connections/test';
  const ok = await call('POST', path, { type: 'postgresql', connection_id: id, configuration: {} });
  expect(ok).toMatchObject({ status: 200, body: undefined });
  const wrong = await call('POST', path, {
    type: 'postgresql',
    connection_id: id,
    configuration: { password: 'no' },
  });
  expect(wrong.status).toBe(400);
  expect(
    (await call('POST', path, { type: 'postgresql', connection_id: id, configuration: {} })).status,
  ).toBe(200);
});

test('the schema cache is read after creating; a refresh that is under way is joined', async () => {
  const { id } = (await create('cached')).body.data;
  const status = async () =>
    (await call('GET', `/api/connections/${id}/schemas/status`)).body.data as unknown as Record<
      string,
      string
    >;
  await until(async () => (await status()).cache_status === 'fresh');
  await source.query('create table later (id int)');
  expect((await call('GET', `/api/connections/${id}/schemas/public.later`)).status).toBe(404);
  const refreshes = await Promise.all(
    Array.from({ length: 5 }, () => call('POST', `/api/connections/${id}/schemas/refresh`)),
  );
  for (const { status: code, headers } of refreshes) {
    expect(code).toBe(202);
    expect(headers.location).toBe(`/api/connections/${id}/schemas/status`);
  }
  await until(async () => (await status()).cache_status === 'fresh');
  expect((await call('GET', `/api/connections/${id}/schemas/public.later`)).status).toBe(200);
  const records = await call('GET', `/api/connections/${id}/schemas/public.things/records`);
  expect(records.body.data).toEqual([{ id: 1, name: 'one' }]);
});

test('until its schemas have been read for the first time, a connection has none that are missing', async () => {
  const opened = Promise.withResolvers<void>();
  const door = net.createServer(async (socket) => {
    await opened.promise;
    const { hostname: host, port } = new URL(source.url);
    const through = net.connect(Number(port), host);
    socket.on('error', () => through.destroy()).pipe(through);
    through.on('error', () => socket.destroy()).pipe(socket);
  });
  await once(door.listen(0, '127.0.0.1'), 'listening');
  const { port } = door.address() as AddressInfo;
  const made = await create('behind a door', { hostname: '127.0.0.1', port }, { validate: false });
  const path = `/api/connections/${made.body.data.id}/schemas`;
  const fields = [{ field_id: 'name', is_primary_key: true }];
  const asked = [
    call('GET', `${path}/public.things`),
    call('PUT', `${path}/public.things/primary_keys`, { fields }),
    call('GET', `${path}/public.nothing`),
  ];
  expect(await call('GET', `${path}/status`)).toMatchObject({
    body: { data: { cache_status: 'refreshing' } },
  });
  opened.resolve();
  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 202, 404]);
  door.close();
});

test('a refresh that a lost server never finished does not block the next', async () => {
  const { id } = (await create('abandoned')).body.data;
  await until(async () => {
    const { body } = await call('GET', `/api/connections/${id}/schemas/status`);
    return (body.data as unknown as Record<string, string>).cache_status === 'fresh';
  });
  await api.database.query(
    `update tidemark.connections set schemas_refresh_started_at = now() - interval '6 minutes',
       schemas_refresh_finished_at = now() - interval '1 hour' where id = $1`,
    [id],
  );
  await call('POST', `/api/connections/${id}/schemas/refresh`);
  await until(async () => {
    const [row] = await api.database.query<{ done: boolean }>(
      `select schemas_refresh_finished_at > now() - interval '1 minute' as done from tidemark.connections where id = $1`,
      [id],
    );
    return row?.done;
  });
});

test('a connection in use is deleted only by force, with what uses it', async () => {
  const { id } = (await create('used')).body.data;
  const model = {
    name: 'Things',
    connection_id: id,
    configuration: { table: 'public.things' },
    identifier: 'id',
  };
  const made = await call('POST', '/api/models', model);
  const refused = await call('DELETE', `/api/connections/${id}`);
  expect(refused).toMatchObject({
    status: 422,
    body: { key: 'connection_in_use', message: expect.stringContaining('model Things') },
  });
  expect((await call('DELETE', `/api/connections/${id}?force=true`)).status).toBe(200);
  expect((await call('GET', `/api/models/${made.body.data.id}`)).status).toBe(404);
  expect((await call('GET', `/api/connections/${id}`)).status).toBe(404);
});

test('force deletes models that look up more in the connection, with their syncs, and leaves their own connection', async () => {
  const { id: reading } = (await create('looked up')).body.data;
  const service = await call('POST', '/api/connections', {
    name: 'service',
    type: 'httpenrichment',
    configuration: { method: 'GET', url: 'http://127.0.0.1:9/{{id}}' },
    validate: false,
  });
  const { id } = service.body.data;
  await source.query('create table if not exists copies (id int, name text)');
  const model = await call('POST', '/api/models', {
    name: 'Enriched',
    connection_id: reading,
    configuration: { table: 'public.things' },
    identifier: 'id',
    enricher: { connection_id: id, mappings: { id: 'id' }, fields: [{ name: 'n', type: 'number' }] },
  });
  const sync = await call('POST', '/api/syncs', {
    name: 'copies',
    mode: 'append',
    schedule: { frequency: 'manual' },
    fields: [{ source: { model_id: model.body.data.id, field: 'id' }, target: 'id' }],
    target: { connection_id: reading, object: 'public.copies' },
  });
  expect([model.status, sync.status]).toEqual([200, 200]);
  expect((await call('DELETE', `/api/connections/${id}`)).body.message).toContain('model Enriched');
  expect((await call('DELETE', `/api/connections/${id}?force=true`)).status).toBe(200);
  for (const gone of [`models/${model.body.data.id}`, `syncs/${sync.body.data.id}`]) {
    expect([gone, (await call('GET', `/api/${gone}`)).status]).toEqual([gone, 404]);
  }
  expect((await call('GET', `/api/connections/${reading}`)).status).toBe(200);
});

test('force ends what its syncs run, and says so, before it deletes them', async () => {
  const [reading, writing] = [(await create('reading')).body.data.id, (await create('writing')).body.data.id];
  await source.query('create table targets (id int, name text)');
  const model = await call('POST', '/api/models', {
    name: 'Things',
    connection_id: reading,
    configuration: { table: 'public.things' },
    identifier: 'id',
  });
  const sync = (name: string) =>
    call('POST', '/api/syncs', {
      name,
      mode: 'append',
      schedule: { frequency: 'manual' },
      fields: [{ source: { model_id: model.body.data.id, field: 'id' }, target: 'id' }],
      target: { connection_id: writing, object: 'public.targets' },
    });
  await until(async () => {
    const { body } = await call('GET', `/api/connections/${reading}/schemas/status`);
    return (body.data as unknown as Record<string, string>).cache_status === 'fresh';
  });
  const bulk = await call('POST', '/api/bulk/syncs', {
    name: 'bulk',
    source_connection_id: reading,
    destination_connection_id: writing,
    mode: 'replicate',
    default_schedule: { frequency: 'manual' },
    destination_configuration: { schema: 'replica' },
  });
  expect(bulk).toMatchObject({ status: 200 });
  const started = [
    ['/api/syncs', (await sync('one')).body.data.id],
    ['/api/bulk/syncs', bulk.body.data.id],
  ];
  for (const [base, id] of started) {
    expect((await call('POST', `${base}/${id}/executions`, {})).status).toBe(200);
  }
  // The source's: both syncs read from it, one through its model.
  expect((await call('DELETE', `/api/connections/${reading}?force=true`)).status).toBe(200);
  for (const [base, id] of started) expect((await call('GET', `${base}/${id}`)).status).toBe(404);
  const left = await api.database.query('select from tidemark.executions where organization_id = $1', [
    tenant.organizationId,
  ]);
  expect(left).toEqual([]);
  const events = (await call('GET', '/api/events?limit=100')).body.data as unknown as { type: string }[];
  expect(events.map(({ type }) => type).sort()).toEqual(['bulk_sync.canceled', 'sync.canceled']);
});

test('a DuckDB file is that of the organization, where such files are enabled', async () => {
  const settings = { name: 'file', type: 'duckdb', configuration: { database: 'x.duckdb' } };
  expect((await call('POST', '/api/connections', settings)).body.message).toContain('TIDEMARK_DUCKDB_DIR');
  const folder = await mkdtemp(path.join(tmpdir(), 'duckdb-organizations-'));
  const enabled = await startTestApp(undefined, { duckdbDir: folder });
  try {
    const { first: tenant } = enabled;
    const other = await enabled.tenant('duckdb');
    await mkdir(path.join(folder, tenant.organizationId));
    await queryDuckDB(
      path.join(folder, tenant.organizationId, 'x.duckdb'),
      'create table secret (id integer)',
    );
    const schemas = async (apiKey: string) => {
      const made = await enabled.request(apiKey, 'POST', '/api/connections', settings);
      const { id } = (made.body as Answer['body']).data;
      return until(async () => {
        const { body } = await enabled.request(apiKey, 'GET', `/api/connections/${id}/schemas/status`);
        const status = body as { data: { cache_status: string } };
        if (status.data.cache_status === 'refreshing') return undefined;
        return (await enabled.request(apiKey, 'GET', `/api/connections/${id}/bulksync/source`)).body;
      });
    };
    expect(JSON.stringify(await schemas(tenant.apiKey))).toContain('main.secret');
    expect(JSON.stringify(await schemas(other.apiKey))).not.toContain('main.secret');
    for (const database of [
      '../x.duckdb',
      `../${tenant.organizationId}/x.duckdb`,
      '/etc/passwd',
      '.hidden',
      'x.wal',
    ]) {
      const wrong = { ...settings, name: database, configuration: { database } };
      expect((await enabled.request(other.apiKey, 'POST', '/api/connections', wrong)).status).toBe(422);
    }
  } finally {
    await enabled[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
});
