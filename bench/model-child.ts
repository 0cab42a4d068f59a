/** One execution of a model sync in a process of its own, as a worker runs it: `<metadata> <log folder> <organization> <sync>`. */
import { openDatabase } from '../src/db/index.ts';
import { createEgress } from '../src/egress/index.ts';
import { type Counts, createRun, folderLogs, getExecution, startExecution } from '../src/executions/index.ts';
import type { Jobs } from '../src/jobs/index.ts';
import { KeyRing } from '../src/lib/seal.ts';
import { getModelSync, modelSyncRunner } from '../src/model-syncs/index.ts';

export interface Measurement {
  seconds: number;
  cpuSeconds: number;
  /** Of the process, at its highest. */
  megabytes: number;
  counts: Counts;
}

const [metadata = '', recordLogFolder = '', organizationId = '', syncId = ''] = process.argv.slice(2);
const { db, close } = openDatabase(metadata);
const deps = {
  db,
  keyRing: new KeyRing([Buffer.alloc(32, 1)]),
  egress: createEgress({ allow: ['127.0.0.0/8'] }),
};
const sync = await getModelSync(db, organizationId, syncId);
// The job goes nowhere: the run is made here, so that its process can be measured.
const jobs: Pick<Jobs, 'insert'> = { insert: async () => [crypto.randomUUID()] };
const { id } = await startExecution(
  { db, jobs: jobs as Jobs },
  {
    organizationId,
    kind: 'model',
    syncId,
    trigger: 'manual',
    options: {},
    subject: { sync_name: sync.name, target_connection_id: sync.target.connectionId },
  },
);
const claim = crypto.randomUUID();
await db.updateTable('executions').set({ claim, status: 'running' }).where('id', '=', id).execute();
const execution = await getExecution(db, organizationId, syncId, id);
const steered = createRun({ db, recordLogs: folderLogs(recordLogFolder) }, { execution, claim });

const started = performance.now();
const before = process.resourceUsage();
const outcome = await modelSyncRunner(deps)(steered.run);
const seconds = (performance.now() - started) / 1000;
const after = process.resourceUsage();
if (outcome.status !== 'completed') throw new Error(`${outcome.status}: ${outcome.errors}`);
await steered.close();
await db.updateTable('executions').set({ status: 'completed' }).where('id', '=', id).execute();
const { counts } = await getExecution(db, organizationId, syncId, id);
const cpu = (usage: NodeJS.ResourceUsage) => (usage.userCPUTime + usage.systemCPUTime) / 1_000_000;
const measurement: Measurement = {
  seconds,
  cpuSeconds: cpu(after) - cpu(before),
  megabytes: after.maxRSS / 1024,
  counts,
};
process.send?.(measurement);
await deps.egress.close();
await close();
process.disconnect?.();
