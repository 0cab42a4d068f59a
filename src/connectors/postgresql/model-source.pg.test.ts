import { expect, onTestFinished, test, vi } from 'vitest';
import { testDatabase } from '../../../test/support/database.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { until } from '../../../test/support/until.ts';
import { createEgress } from '../../egress/index.ts';
import { postgresql } from './index.ts';

test('a read that is given up ends in the source, too, also before it has a row', async () => {
  const database = await testDatabase();
  const ended = new AbortController();
  const { modelSource } = postgresql.open(
    { ...postgresqlConfiguration(database.url), client_certs: false },
    { egress: createEgress({ allow: ['127.0.0.0/8'] }), signal: ended.signal },
  );
  const query = { configuration: { query: 'select 1 as id, pg_sleep(600)::text as slow' }, identity: 'id' };
  const reading = Array.fromAsync(modelSource?.records({ ...query, fields: ['slow'] }) ?? []);
  const running = () =>
    database.query(
      `select from pg_stat_activity where datname = current_database() and application_name = 'tidemark model read'
       and state = 'active' and query like 'copy%'`,
    );
  await until(async () => (await running()).length === 1);
  ended.abort();
  await expect(reading).rejects.toThrow();
  await until(async () => (await running()).length === 0);
});

test('what a query leaves in its session is not there for the next one', async () => {
  const database = await testDatabase();
  await database.query(`create table items as select 'the first' as name; create schema elsewhere;
    create table elsewhere.items as select 'the other' as name;
    create function moves() returns text language sql as $$ select set_config('search_path', 'elsewhere', false) $$;
    create function locks() returns text language sql as $$ select pg_advisory_lock(1)::text $$`);
  const session = postgresql.open(
    { ...postgresqlConfiguration(database.url), client_certs: false },
    { egress: createEgress({ allow: ['127.0.0.0/8'] }) },
  );
  const { modelSource } = session;
  // The session waits for the next question however long the test takes.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const leaving = `select pg_backend_pid()::text as pid, locks() as lock, moves() as path`;
  const locks = `(select count(*)::text from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks`;
  const next = `select pg_backend_pid()::text as pid, name, ${locks} from items`;
  const asked = async (query: string, names: string[]) =>
    (await modelSource?.sample({ query }, names, 1))?.[0];
  const [pid] = (await asked(leaving, ['pid', 'path', 'lock'])) ?? [];
  expect(await asked(next, ['pid', 'name', 'locks'])).toEqual([pid, 'the first', '0']);
  const read = { configuration: { query: leaving }, identity: 'pid', fields: ['path', 'lock'] };
  for await (const [record] of modelSource?.records(read) ?? []) expect(record?.key).toBe(pid);
  expect(await asked(next, ['pid', 'name', 'locks'])).toEqual([pid, 'the first', '0']);
  await session.close();
});
