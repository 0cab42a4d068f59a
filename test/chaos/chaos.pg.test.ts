import { expect, test } from 'vitest';
import { createDatabase } from '../support/database.ts';
import { runChaos } from './run.ts';

test('through kills of server, worker and PostgreSQL, lost connections and a clock that jumps, every promise holds [P2, S10]', async () => {
  await using source = await createDatabase();
  await using destination = await createDatabase();
  await source.query(
    'create table things as select n as id, md5(n::text) as name from generate_series(1, 200) n',
  );
  const report = await runChaos({ rounds: 5, tenants: 2, source: source.url, destination: destination.url });
  expect(report.broken).toEqual([]);
  expect(report.faults).toEqual({ server: 1, worker: 1, postgres: 1, terminate: 1, clock: 1 });
  expect(report.events).toBeGreaterThan(20);
  expect(report.requests).toBeGreaterThan(report.events / 2);
});
