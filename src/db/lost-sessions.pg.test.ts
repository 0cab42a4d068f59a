import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../../test/support/database.ts';
import { type SilentRelay, silentRelay } from '../../test/support/silent-relay.ts';
import { isConnectionFailure } from './connection-failure.ts';
import { type DatabaseHandle, openDatabase } from './database.ts';
import { listen } from './listen.ts';
import { withSession } from './session.ts';
import { watchTimes } from './watch-sessions.ts';

let database: TestDatabase;
let relay: SilentRelay;
let handle: DatabaseHandle;
const usual = { ...watchTimes };
/** A statement that is silent for longer than is remarkable, often enough to be asked about more than twice. */
const long = 2;

beforeAll(async () => {
  Object.assign(watchTimes, { every: 100, unremarkable: 300, patience: 1000 });
  database = await createDatabase();
  await database.query(
    'create schema tidemark; create table tidemark.kept (n int); insert into tidemark.kept values (0)',
  );
  relay = await silentRelay(database.url);
  handle = openDatabase(relay.url, 4);
});
afterAll(async () => {
  Object.assign(watchTimes, usual);
  await handle.close();
  await relay[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

test('statements that the network lost fail, and the next ones get through', async () => {
  const [one] = await Promise.all([1, 2, 3].map(() => sql`select pg_sleep(0.05)`.execute(handle.db)));
  expect(one?.rows.length).toBe(1);
  relay.forget();
  const failures = await Promise.all([
    failure(handle.pool.query('select 1')),
    failure(sql`select 1`.execute(handle.db)),
    failure(sql`select 1`.execute(handle.db)),
  ]);
  expect(failures.map(isConnectionFailure)).toEqual([true, true, true]);
  expect((await handle.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('what a lost session had locked is free again', async () => {
  const lost = handle.db.transaction().execute(async (tx) => {
    await sql`update tidemark.kept set n = n + 1`.execute(tx);
    relay.forget();
    await sql`select 1`.execute(tx);
  });
  expect(isConnectionFailure(await failure(lost))).toBe(true);
  await database.query('update tidemark.kept set n = 5');
});

test('rows that were sent into nowhere fail their COPY', async () => {
  async function* rows() {
    yield '1\n';
    relay.forget();
    yield '2\n';
  }
  const lost = withSession(handle.db, (session) => session.copyIn('copy kept from stdin', rows()));
  expect(isConnectionFailure(await failure(lost))).toBe(true);
  expect(await database.query('select from tidemark.kept where n < 5')).toEqual([]);
});

test('a statement that takes long, a source that is slow and a reader that is slow are waited for', async () => {
  async function* slowly() {
    yield '7\n';
    await delay(long * 1000);
    yield '7\n';
  }
  const [slept, copied, read] = await Promise.all([
    sql<{ slept: string }>`select pg_sleep(${long})::text as slept`.execute(handle.db),
    withSession(handle.db, (session) => session.copyIn('copy kept from stdin', slowly())),
    withSession(handle.db, async (session) => {
      let bytes = 0;
      for await (const chunk of session.copyOut(
        "copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout",
      )) {
        if (bytes === 0) await delay(long * 1000);
        bytes += chunk.length;
      }
      return bytes;
    }),
  ]);
  expect([slept.rows.length, copied, read]).toEqual([1, 2, 100_100_000]);
});

test('a database that does not answer at all is away, and comes back', async () => {
  await handle.pool.query('select 1');
  relay.mute(true);
  const lost = failure(sql`select 1`.execute(handle.db));
  expect(isConnectionFailure(await lost)).toBe(true);
  relay.mute(false);
  expect((await handle.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('who listens is connected again, and told so', async () => {
  let connects = 0;
  let again = Promise.withResolvers<void>();
  const heard: string[] = [];
  const listener = await listen(
    relay.url,
    { test_channel: (payload) => heard.push(payload) },
    () => {
      connects++;
      again.resolve();
    },
    200,
  );
  again = Promise.withResolvers();
  relay.forget();
  await again.promise;
  await database.query("notify test_channel, 'here'");
  await expect.poll(() => heard).toEqual(['here']);
  expect(connects).toBe(2);
  await listener.stop();
});

test('a session that can only read leaves the pool, and one to a server that can only read is not opened', async () => {
  const own = openDatabase(database.url, 1);
  const pid = async () => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(own.db);
    return rows[0]?.pid;
  };
  const first = await pid();
  const refused = own.db.transaction().execute(async (tx) => {
    await sql`set transaction read only`.execute(tx);
    await sql`update tidemark.kept set n = 0`.execute(tx);
  });
  expect(isConnectionFailure(await failure(refused))).toBe(true);
  const second = await pid();
  expect(second).not.toBe(first);
  // As the configuration of a server that is being demoted does it.
  await sql`set default_transaction_read_only = on`.execute(own.db);
  expect(await pid()).not.toBe(second);
  await own.close();

  const name = new URL(database.url).pathname.slice(1);
  await database.query(`alter database ${name} set default_transaction_read_only = on`);
  const next = openDatabase(database.url, 1);
  expect(isConnectionFailure(await failure(sql`select 1`.execute(next.db)))).toBe(true);
  await database.query(`alter database ${name} reset default_transaction_read_only`);
  expect((await sql`select 1`.execute(next.db)).rows.length).toBe(1);
  await next.close();
});
