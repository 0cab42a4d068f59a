/** `npm run chaos -- --rounds 50 --tenants 4`: the long form of chaos.pg.test.ts, with a report. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/db/index.ts';
import { allFaults, runChaos } from './run.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    tenants: { type: 'string', default: '4' },
    fault: { type: 'string', multiple: true },
  },
});
const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-chaos-'));
await chmod(folder, 0o755);
const postgres = await startEmbeddedPostgres(folder, { fsync: 'off', max_connections: '200' });
try {
  const [source, destination] = [await postgres.database('source'), await postgres.database('destination')];
  const client = new pg.Client(source);
  await client.connect();
  await client.query(
    'create table things as select n as id, md5(n::text) as name from generate_series(1, 200) n',
  );
  await client.end();
  const faults = allFaults.filter((fault) => values.fault?.includes(fault) ?? true);
  const options = {
    rounds: Number(values.rounds),
    tenants: Number(values.tenants),
    source,
    destination,
    faults,
  };
  const begun = performance.now();
  const report = await runChaos(options, (line) => {
    console.log(`${((performance.now() - begun) / 1000).toFixed(1)} s  ${line}`);
  });
  console.log(JSON.stringify(report, null, 2));
  if (report.broken.length > 0) process.exitCode = 1;
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
