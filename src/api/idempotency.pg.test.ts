import type { Socket } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestApp, type Tenant, type TestApp } from '../../test/support/app.ts';

let api: TestApp;
let tenant: Tenant;

beforeAll(async () => {
  api = await startTestApp((app) => {
    const failing = (path: string, before: () => Promise<unknown>) =>
      app.post(path, { config: { access: 'any' } }, async () => {
        await before();
        throw new Error('after it');
      });
    const users = () => api.deps.db.selectFrom('users').select('id');
    const insert = (db: typeof api.deps.db) =>
      db
        .insertInto('users')
        .values({
          organization_id: tenant.organizationId,
          role: 'user',
          email: `${crypto.randomUUID()}@x.test`,
        })
        .execute();
    failing('/api/failing/read', () => users().execute());
    failing('/api/failing/statement', () => insert(api.deps.db));
    failing('/api/failing/committed', () => api.deps.db.transaction().execute(insert));
    failing('/api/failing/unanswered', async () => {
      const { query } = pg.Client.prototype;
      const lost = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (
        this: pg.Client,
        ...sent: unknown[]
      ) {
        const answer = Reflect.apply(query, this, sent);
        const { connection } = this as unknown as { connection: { stream: Socket } };
        if (sent[0] === 'commit' || (sent[0] as { text?: string }).text === 'commit')
          connection.stream.destroy();
        return answer;
      });
      await api.deps.db
        .transaction()
        .execute(insert)
        .finally(() => lost.mockRestore());
    });
    failing('/api/failing/rolled-back', () =>
      api.deps.db.transaction().execute(async (tx) => {
        await insert(tx);
        throw new Error('rolled back');
      }),
    );
  });
  tenant = await api.tenant('idempotent');
});
afterAll(() => api[Symbol.asyncDispose]());

const createUser = (email: string, key: string, who = tenant) =>
  api.request(who.apiKey, 'POST', '/api/organization/users', { email }, { 'idempotency-key': key });

test('a repeated request gets the first outcome, a success and an error alike', async () => {
  const first = await createUser('ann@example.com', 'key-number-1');
  const second = await createUser('ann@example.com', 'key-number-1');
  expect(first.status).toBe(200);
  expect(second).toMatchObject({ status: 200, body: first.body });
  const failed = await createUser('ann@example.com', 'key-number-2');
  expect(failed.status).toBe(422);
  expect(await createUser('ann@example.com', 'key-number-2')).toMatchObject({
    status: 422,
    body: failed.body,
  });
  const users = await api.request(tenant.apiKey, 'GET', '/api/organization/users');
  expect((users.body as { data: unknown[] }).data.length).toBe(2);
});

test('of simultaneous requests one is carried out; the others wait or get its outcome', async () => {
  const responses = await Promise.all(
    Array.from({ length: 10 }, () => createUser('bob@example.com', 'key-number-3')),
  );
  const statuses = new Set(responses.map(({ status }) => status));
  expect([...statuses].every((status) => status === 200 || status === 409)).toBe(true);
  expect(statuses.has(200)).toBe(true);
  const waiting = responses.find(({ status }) => status === 409);
  if (waiting !== undefined) expect(waiting.headers['retry-after']).toBe('1');
  expect((await createUser('bob@example.com', 'key-number-3')).status).toBe(200);
});

test('what failed after something was done is not done again; what did nothing may be', async () => {
  const users = async () => (await api.database.query('select id from tidemark.users')).length;
  for (const [how, once] of [
    ['statement', true],
    ['committed', true],
    ['rolled-back', false],
    ['read', false],
  ] as const) {
    const post = () =>
      api.request(tenant.apiKey, 'POST', `/api/failing/${how}`, {}, { 'idempotency-key': `failing-${how}` });
    const before = await users();
    const first = await post();
    const again = await post();
    expect([how, first.status, again.status]).toEqual([how, 500, 500]);
    expect([how, (await users()) - before]).toEqual([how, once ? 1 : 0]);
    // The same answer, or a request of its own.
    expect([how, JSON.stringify(again.body) === JSON.stringify(first.body)]).toEqual([how, once]);
  }
});

test('what may have been done, since the answer to its commit was lost, is not done again', async () => {
  const headers = { 'idempotency-key': 'failing-unanswered' };
  const post = () => api.request(tenant.apiKey, 'POST', '/api/failing/unanswered', {}, headers);
  const first = await post();
  const users = await api.database.query('select id from tidemark.users');
  expect([first.status, (await post()).body]).toEqual([503, first.body]);
  expect(await api.database.query('select id from tidemark.users')).toEqual(users);
});

test('a key is bound to its request and its caller', async () => {
  await createUser('cid@example.com', 'key-number-4');
  expect(await createUser('dee@example.com', 'key-number-4')).toMatchObject({
    status: 422,
    body: { key: 'idempotency_mismatch' },
  });
  const other = await api.tenant('another');
  expect((await createUser('eve@example.com', 'key-number-4', other)).status).toBe(200);
  expect((await createUser('eve@example.com', 'short', other)).status).toBe(400);
});

test('a lock that a lost server left behind is taken over', async () => {
  await createUser('fay@example.com', 'key-number-5');
  await api.database.query(
    `update tidemark.idempotency_keys set status = null, created_at = now() - interval '3 minutes'`,
  );
  const again = await createUser('fay@example.com', 'key-number-5');
  expect(again).toMatchObject({ status: 422, body: { message: expect.stringContaining('is a user') } });
});

test('what is kept of an outcome shows no secret', async () => {
  const path = `/api/organizations/${tenant.organizationId}/users/${tenant.userId}/keys?force=true`;
  const made = await api.request(api.partnerKey, 'POST', path, undefined, {
    'idempotency-key': 'key-number-6',
  });
  const { value } = (made.body as { data: { value: string } }).data;
  const again = await api.request(api.partnerKey, 'POST', path, undefined, {
    'idempotency-key': 'key-number-6',
  });
  expect(again.body).toEqual(made.body);
  const rows = await api.database.query<{ body: Buffer | null }>(
    'select body from tidemark.idempotency_keys',
  );
  expect(rows.some(({ body }) => body?.includes(value))).toBe(false);
});
