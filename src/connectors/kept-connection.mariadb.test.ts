import { expect, onTestFinished, test, vi } from 'vitest';
import { testDatabase } from '../../test/support/database.ts';
import { loopback } from '../../test/support/egress.ts';
import { postgresqlConfiguration } from '../../test/support/http.ts';
import { describeMariadb, mariadbDatabase } from '../../test/support/mariadb.ts';
import { until } from '../../test/support/until.ts';
import type { Session } from './contract.ts';
import { mysql } from './mysql/index.ts';
import { postgresql } from './postgresql/index.ts';

interface Asked {
  session: Session;
  object: string;
  /** Sessions on the server that are not the test's own. */
  sessions(): Promise<string[]>;
  end(session: string): Promise<unknown>;
}

/** Several questions leave one session, which serves again, is replaced when it was lost, and goes by itself. */
async function asksInOneSession({ session, object, sessions, end }: Asked) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(async () => {
    vi.useRealTimers();
    await session.close();
  });
  const ask = async () => {
    await session.modelDestination?.fields(object);
    await session.modelDestination?.life?.({ object } as never);
    return sessions();
  };
  const first = await ask();
  expect(first).toHaveLength(1);
  expect(await ask()).toEqual(first);
  await end(first[0] ?? '');
  const second = await ask();
  expect(second).toHaveLength(1);
  expect(second).not.toEqual(first);
  vi.advanceTimersByTime(1000);
  await until(async () => (await sessions()).length === 0);
  expect(await ask()).toHaveLength(1);
  await session.close();
  await until(async () => (await sessions()).length === 0);
}

test('PostgreSQL: questions one after the other share a session', async () => {
  const database = await testDatabase();
  await database.query('create table items (id int primary key)');
  const settings = { ...postgresqlConfiguration(database.url), client_certs: false };
  await asksInOneSession({
    session: postgresql.open(settings, { egress: loopback }),
    object: 'public.items',
    sessions: async () =>
      (
        await database.query<{ pid: number }>(
          `select pid from pg_stat_activity where datname = current_database() and application_name like 'tidemark%'`,
        )
      ).map(({ pid }) => `${pid}`),
    end: (pid) => database.query(`select pg_terminate_backend(${pid}, 10000)`),
  });
});

describeMariadb('MariaDB', () => {
  test('questions one after the other share a session', async () => {
    const database = await mariadbDatabase();
    await database.query('create table items (id int primary key)');
    await asksInOneSession({
      session: mysql.open(database.configuration, { egress: loopback }),
      object: `${database.name}.items`,
      sessions: async () =>
        (
          await database.query<{ id: string }>(
            `select id from information_schema.processlist where db = database() and id <> connection_id()`,
          )
        ).map(({ id }) => id),
      end: (id) => database.query(`kill ${id}`),
    });
  });
});
