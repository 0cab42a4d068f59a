/**
 * A bulk sync in a process of its own, through the runner a worker uses: `<BulkChild as JSON>`. Says `ready`, then
 * runs an execution for every message that comes and answers with its measurement.
 */
import { bulkSyncRunner, createBulkSync, startBulkSync } from '../src/bulk-syncs/index.ts';
import { createConnection } from '../src/connections/index.ts';
import { maintainPartitions, openDatabase } from '../src/db/index.ts';
import { createEgress } from '../src/egress/index.ts';
import { createRun, folderLogs, getExecution } from '../src/executions/index.ts';
import type { Jobs } from '../src/jobs/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { type Actor, bootstrap } from '../src/organizations/index.ts';
import type { BulkSyncRequest } from '../src/schema/bulk-sync.ts';

export interface BulkChild {
  metadata: string;
  source: string;
  destination: string;
  /** Undefined: all that the source has. */
  schemas?: BulkSyncRequest['schemas'];
}

export interface Measurement {
  seconds: number;
  cpuMicroseconds: number;
}

export interface SyncMeasurement extends Measurement {
  /** Greatest resident set so far, as the kernel counts it, and samples of it over the execution. */
  peakBytes: number;
  samples: number[];
}

const { metadata, source, destination, schemas } = JSON.parse(process.argv[2] ?? '{}') as BulkChild;
const { db, close } = openDatabase(metadata);
await maintainPartitions(db, 3_600_000);
const deps = {
  db,
  keyRing: new KeyRing([Buffer.alloc(32, 1)]),
  egress: createEgress({ allow: ['127.0.0.0/8'] }),
};
const { organizationId, userId } = await bootstrap({ db });
const actor: Actor = { id: userId, name: 'bench', type: 'user' };
const request: BulkSyncRequest = {
  name: 'bench',
  source_connection_id: await connect(source),
  destination_connection_id: await connect(destination),
  destination_configuration: { schema: 'replica' },
  ...(schemas === undefined ? {} : { schemas }),
};
const sync = await createBulkSync(deps, organizationId, actor, request, 'either');
// The job goes nowhere: the run is made here, so that its process can be measured.
const jobs: Pick<Jobs, 'insert'> = { insert: async () => [crypto.randomUUID()] };

process.on('message', () => void execute().then((measurement) => process.send?.(measurement)));
process.once('disconnect', () => void deps.egress.close().then(close));
process.send?.('ready');

async function execute(): Promise<SyncMeasurement> {
  const { id } = await startBulkSync({ db, jobs: jobs as Jobs }, organizationId, sync.id, {});
  const claim = crypto.randomUUID();
  await db.updateTable('executions').set({ claim, status: 'running' }).where('id', '=', id).execute();
  const execution = await getExecution(db, organizationId, sync.id, id);
  const { run } = createRun({ db, recordLogs: folderLogs('/nonexistent') }, { execution, claim });

  const samples: number[] = [];
  const sampler = setInterval(() => samples.push(process.memoryUsage.rss()), 100);
  const started = performance.now();
  const before = process.resourceUsage();
  const outcome = await bulkSyncRunner(deps, { rangeRows: 250_000, streams: 3 })(run);
  const after = process.resourceUsage();
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampler);
  if (outcome.status !== 'completed') throw new Error(`${outcome.status}: ${outcome.errors}`);
  await db
    .updateTable('executions')
    .set({ status: 'completed', completed_at: new Date().toISOString() })
    .where('id', '=', id)
    .execute();
  const cpu = ({ userCPUTime, systemCPUTime }: NodeJS.ResourceUsage) => userCPUTime + systemCPUTime;
  return { seconds, cpuMicroseconds: cpu(after) - cpu(before), peakBytes: after.maxRSS * 1024, samples };
}

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
