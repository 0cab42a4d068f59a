/** One bulk sync in a process of its own, through the runner a worker uses: `<metadata> <source> <destination>`. */
import { bulkSyncRunner, createBulkSync, startBulkSync } from '../src/bulk-syncs/index.ts';
import { createConnection } from '../src/connections/index.ts';
import { maintainPartitions, openDatabase } from '../src/db/index.ts';
import { createEgress } from '../src/egress/index.ts';
import { createRun, getExecution } from '../src/executions/index.ts';
import type { Jobs } from '../src/jobs/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { type Actor, bootstrap } from '../src/organizations/index.ts';

export interface Measurement {
  seconds: number;
  cpuMicroseconds: number;
}

const [metadata = '', source = '', destination = ''] = process.argv.slice(2);
const { db, close } = openDatabase(metadata);
await maintainPartitions(db, 3_600_000);
const deps = { db, keyRing: new KeyRing([Buffer.alloc(32, 1)]), egress: createEgress({ allow: [] }) };
const { organizationId, userId } = await bootstrap({ db });
const actor: Actor = { id: userId, name: 'bench', type: 'user' };
const request = {
  name: 'bench',
  source_connection_id: await connect(source),
  destination_connection_id: await connect(destination),
  destination_configuration: { schema: 'replica' },
};
const sync = await createBulkSync(deps, organizationId, actor, request, 'either');
// The job goes nowhere: the run is made here, so that its process can be measured.
const jobs: Pick<Jobs, 'insert'> = { insert: async () => [crypto.randomUUID()] };
const { id } = await startBulkSync({ db, jobs: jobs as Jobs }, organizationId, sync.id, {});
const claim = crypto.randomUUID();
await db.updateTable('executions').set({ claim, status: 'running' }).where('id', '=', id).execute();
const execution = await getExecution(db, organizationId, sync.id, id);
const { run } = createRun({ db, recordLogFolder: '/nonexistent' }, { execution, claim });

const started = performance.now();
const before = process.resourceUsage();
const outcome = await bulkSyncRunner(deps, { rangeRows: 250_000, streams: 2 })(run);
const after = process.resourceUsage();
const measurement: Measurement = {
  seconds: (performance.now() - started) / 1000,
  cpuMicroseconds: after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime,
};
if (outcome.status !== 'completed') throw new Error(`${outcome.status}: ${outcome.errors}`);
process.send?.(measurement);
await deps.egress.close();
await close();
process.disconnect?.();

async function connect(url: string): Promise<string> {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const server = { hostname, port: Number(port), ssl: false };
  const [secret, database] = [decodeURIComponent(password), pathname.slice(1)];
  const isMysql = protocol === 'mysql:';
  const connection = await createConnection(deps, organizationId, actor, {
    name: crypto.randomUUID(),
    type: isMysql ? 'mysql' : 'postgresql',
    configuration: isMysql
      ? { ...server, account: username, passwd: secret, dbname: database }
      : { ...server, username, password: secret, database },
    validate: false,
  });
  return connection.id;
}
