import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { until } from '../../test/support/until.ts';
import { ConfigError } from '../config.ts';
import { listen } from '../db/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { checkEncryptionKeys, requireEncryptionKeys, sealedColumns } from './check-encryption-keys.ts';

const key = (fill: number) => Buffer.alloc(32, fill);
const configured = { source: 'TIDEMARK_ENCRYPTION_KEY', isNew: false };
const missing = { source: '/data/encryption-key', isNew: true };

let app: TestApp;
const check = (keys: Buffer[], origin = configured) =>
  checkEncryptionKeys(app.database.db, new KeyRing(keys), origin);
const request = (method: 'GET' | 'POST' | 'PUT', url: string, body?: object) =>
  app.request(app.first.apiKey, method, url, body);

beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('while nothing is sealed any key may be the first, unless who has another one runs; a worker must have it', async () => {
  await using own = await createMetadataDatabase();
  const start = (fill: number) => checkEncryptionKeys(own.db, new KeyRing([key(fill)]), configured);
  const require = (fill: number, origin = configured) =>
    requireEncryptionKeys(own.db, new KeyRing([key(fill)]), origin);
  expect(await start(1)).toEqual({});
  await expect(require(2)).rejects.toThrow(ConfigError);
  expect(await start(7)).toEqual({});
  await require(7);
  await expect(require(7, missing)).rejects.toThrow('/data/encryption-key: is missing');

  const running = await listen(own.url, { of_a_server: () => {} });
  await expect(start(1)).rejects.toThrow(/another key than encryption key [0-9a-f]{8}/);
  expect(await start(7)).toEqual({});
  await running.stop();
  await until(() => start(1).catch(() => undefined));
});

test('once something is sealed another key, and a missing one, stop the start; a rotation does not', async () => {
  const configuration = {
    hostname: '127.0.0.1',
    port: 1,
    username: 'u',
    password: 'sealed by key 7',
    database: 'd',
    ssl: false,
  };
  const body = { name: 'Shop', type: 'postgresql', configuration, validate: false };
  const created = await request('POST', '/api/connections', body);
  expect(created.status).toBe(200);
  await expect(check([key(1)])).rejects.toThrow(
    /^TIDEMARK_ENCRYPTION_KEY: is another key than encryption key [0-9a-f]{8}/,
  );
  await expect(check([key(1)], missing)).rejects.toThrow(
    /encryption-key: is missing, and the database holds/,
  );
  expect(await check([key(8), key(7)])).toEqual({});
  await requireEncryptionKeys(app.database.db, new KeyRing([key(8)]), configured);
  expect(await check([key(7), key(8)])).toEqual({});

  // One was sealed with a key that is gone: the start says so, and the API shows where.
  const { id } = (created.body as { data: { id: string } }).data;
  const lost = new KeyRing([key(9)]).seal('{"password":"x"}');
  await app.database.query('update tidemark.connections set secrets = $1 where id = $2', [lost, id]);
  await request('POST', '/api/connections', { ...body, name: 'Readable' });
  expect(await check([key(7)])).toEqual({ 'connections.secrets': 1 });
  const list = await request('GET', '/api/connections');
  expect(list).toMatchObject({
    status: 200,
    body: {
      data: [
        { name: 'Readable', configuration: { password: '********' } },
        {
          name: 'Shop',
          status: 'error',
          status_error: expect.stringContaining('secrets cannot be read'),
          configuration: { hostname: '127.0.0.1' },
        },
      ],
    },
  });
  const put = (password?: string, others = {}) =>
    request('PUT', `/api/connections/${id}`, {
      ...body,
      configuration: { ...configuration, password, ...others },
    });
  for (const kept of ['********', undefined]) {
    expect(await put(kept)).toMatchObject({ status: 422, body: { key: 'secret_unreadable' } });
  }
  // One of several would take the others away: what of them there was nobody knows.
  const one = await put('sealed by key 7');
  expect(one).toMatchObject({ status: 422, body: { key: 'secret_unreadable' } });
  const { message } = one.body as { message: string };
  const others = message.match(/(?<=configuration\.)\w+/g) ?? [];
  expect(others).toContain('ssh_private_key');
  expect(others).not.toContain('password');
  const none = Object.fromEntries(others.map((name) => [name, null]));
  expect(await put('sealed by key 7', none)).toMatchObject({ status: 200 });
  expect(await check([key(7)])).toEqual({});
});

test('every column that keeps what is sealed is looked at', async () => {
  const rows = await app.database.query<{ place: string }>(
    `select table_name || '.' || column_name as place from information_schema.columns
     where table_schema = 'tidemark' and data_type = 'bytea'`,
  );
  const unsealed =
    /^(api_keys\.hash|idempotency_keys\.|model_jobs\.|enrichment|lookup|webhook_attempts.*response_body|encryption_canary\.)/;
  const found = rows.map(({ place }) => place).filter((place) => !unsealed.test(place));
  expect(found.toSorted()).toEqual(sealedColumns.map((place) => place.join('.')).toSorted());
});
