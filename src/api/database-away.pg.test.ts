import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../test/support/app.ts';
import { until } from '../../test/support/until.ts';

let api: TestApp;
let name: string;
beforeAll(async () => {
  api = await startTestApp();
  name = new URL(api.database.url).pathname.slice(1);
});
afterAll(() => api[Symbol.asyncDispose]());

const list = () => api.request(api.first.apiKey, 'GET', '/api/connections');
const ready = () => api.request(null, 'GET', '/readyz');
const away = { status: 503, headers: { 'retry-after': '1' }, body: { key: 'unavailable', status: 503 } };

test('a request whose statement the database gave up is answered with 503 and when to repeat it', async () => {
  const lock = await api.database.hold('lock table tidemark.connections in access exclusive mode');
  const answer = list();
  await until(async () => {
    const ended = await api.database.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = $1 and wait_event_type = 'Lock'`,
      [name],
    );
    return ended.length > 0;
  });
  expect(await answer).toMatchObject(away);
  await lock.release();
  expect((await list()).status).toBe(200);
});

test('a statement that takes too long is answered so, too', async () => {
  const lock = await api.database.hold('lock table tidemark.connections in access exclusive mode');
  const answer = list();
  await until(async () => {
    const ended = await api.database.query(
      `select pg_cancel_backend(pid) from pg_stat_activity
       where datname = $1 and wait_event_type = 'Lock'`,
      [name],
    );
    return ended.length > 0;
  });
  expect(await answer).toMatchObject(away);
  await lock.release();
});

test('a database that only reads is not ready, and no session stays with it', async () => {
  expect((await ready()).status).toBe(200);
  await api.database.query(`alter database ${name} set default_transaction_read_only = on`);
  await api.database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = $1 and application_name = 'tidemark'`,
    [name],
  );
  await until(async () => (await ready()).status === 503);
  expect(await ready()).toMatchObject(away);
  expect(await list()).toMatchObject(away);
  const event = await api.request(api.first.apiKey, 'GET', '/api/events');
  expect(event).toMatchObject(away);
  await api.database.query(`alter database ${name} reset default_transaction_read_only`);
  expect((await ready()).status).toBe(200);
  expect((await list()).status).toBe(200);
});
