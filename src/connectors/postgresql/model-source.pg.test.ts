import { expect, test } from 'vitest';
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
