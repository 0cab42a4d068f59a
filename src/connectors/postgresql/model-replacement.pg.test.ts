import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../../test/support/database.ts';
import { postgresqlConfiguration } from '../../../test/support/http.ts';
import { until } from '../../../test/support/until.ts';
import { createEgress } from '../../egress/index.ts';
import { postgresql } from './index.ts';

test('a replacement that cannot be set up keeps no connection', async () => {
  const database = await testDatabase();
  await database.query('create table places (at point, name text)');
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const configuration = { ...postgresqlConfiguration(database.url), client_certs: false };
  const session = postgresql.open(configuration, { egress });
  onTestFinished(async () => {
    await session.close();
    await egress.close();
  });
  const source = { name: 'name', type: 'string', remoteType: 'text', nullable: true } as const;
  const opening = session.modelDestination?.replacement?.({
    sync: { id: crypto.randomUUID(), name: 'places' },
    object: 'public.places',
    configuration: {},
    mode: 'replace',
    identity: 'at',
    fields: [{ source, target: 'name', createOnly: false }],
  });
  await expect(opening).rejects.toThrow('no default operator class');
  const own = `select from pg_stat_activity where datname = current_database() and application_name like 'tidemark%'`;
  await until(async () => (await database.query(own)).length === 0);
});
