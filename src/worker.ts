import { flushCompileCache } from 'node:module';
import { environmentOf } from './child-environment.ts';
import type { Config } from './config.ts';
import { type FollowTaskInput, followExecution, followTask } from './connections/index.ts';
import { type Database, openDatabase } from './db/index.ts';
import { createEgress } from './egress/index.ts';
import { type Execution, executionQueue, runIsolated, startExecutionWorker } from './executions/index.ts';
import {
  encryptionKeys,
  openDataDirectory,
  ownPorts,
  readRunningServer,
  requireEncryptionKeys,
} from './host/index.ts';
import { ProcessPool } from './isolation/index.ts';
import { startJobs } from './jobs/index.ts';
import type { Logger } from './lib/log.ts';
import { programPath } from './lib/program.ts';
import { KeyRing } from './lib/seal.ts';
import { sourcesOfModelSync } from './model-syncs/index.ts';
import { modelJobQueue, startModelJobWorker } from './models/index.ts';
import { startDeliveryWorker } from './webhooks/index.ts';

/** Milliseconds that a process is kept after its last execution, and a spare after the last start. */
const keptFor = 10_000;

/** Beside executions, a process may look at a connection that failed, or answer a model job. */
const otherPlaces = 2;

/**
 * One worker process: has executions run, each in a process of its own, and delivers webhooks, from the same database as the
 * server. It speaks to no system of a user but webhook endpoints. Any number may run, on any machine that reaches the
 * database and the record logs.
 *
 * @param workerId tells this process apart from every other, living or dead.
 */
export async function startWorker(
  config: Config,
  databaseUrl: string,
  log: Logger,
  workerId: string,
): Promise<{ stop(): Promise<void> }> {
  const directory = await openDataDirectory(config.dataDir);
  const { keys, ...origin } = await encryptionKeys(config, directory);
  const keyRing = new KeyRing(keys);
  const database = openDatabase(databaseUrl, config.executionsPerWorker + 8);
  const { db } = database;
  try {
    await requireEncryptionKeys(db, keyRing, origin);
  } catch (error) {
    await database.close();
    throw error;
  }
  const jobs = await startJobs(databaseUrl, [executionQueue, modelJobQueue], 'work', (error) =>
    log.error({ err: error }, 'jobs.error'),
  );
  const egress = createEgress({
    allow: config.egressAllow,
    ownPorts: await ownPorts(directory, databaseUrl),
  });
  const server = await readRunningServer(directory);
  const publicUrl = config.publicUrl ?? server?.url ?? `http://${config.host}:${config.port}`;
  if (config.recordLogs === undefined && server === undefined) {
    const reason =
      'No server runs on this data directory, so none finds the record logs that are written here. ' +
      'Set TIDEMARK_RECORD_LOGS to one folder or bucket for the server and all workers.';
    log.warn({ folder: directory.recordLogs, reason }, 'record_logs.not_shared');
  }
  const places = config.executionsPerWorker + otherPlaces;
  const tasks = new ProcessPool({
    program: programPath('isolate'),
    args: ['worker'],
    environment: environmentOf(config, { databaseUrl, keys, publicUrl, folder: directory.folder }),
    memoryMb: config.executionMemoryMb,
    silenceSeconds: config.silenceSeconds,
    places,
    placesPerOwner: places,
    keptFor,
  });
  const executions = await startExecutionWorker(
    {
      db,
      jobs,
      databaseUrl,
      log,
      publicUrl,
      workerId,
      async afterEnd(execution, signal) {
        const succeeded = execution.status === 'completed';
        const ids = await connectionsOf(db, execution, succeeded);
        const { organizationId } = execution;
        if (succeeded) return followExecution({ db, keyRing, egress }, organizationId, ids, true);
        const input: FollowTaskInput = { organizationId, connectionIds: ids };
        const task = tasks.give(organizationId, followTask, input);
        signal.addEventListener('abort', () => task.kill('the worker is draining'));
        await task.result;
      },
    },
    runIsolated({ db, log, publicUrl, tasks }),
    { concurrency: config.executionsPerWorker },
  );
  const delivery = await startDeliveryWorker(
    { databaseUrl, keyRing, egress, log, workerId },
    {
      retrySeconds: config.webhookRetrySeconds,
      concurrency: config.webhookConcurrency,
      concurrencyPerWebhook: config.webhookConcurrencyPerWebhook,
      deadline: config.webhookTimeoutSeconds * 1000,
    },
  );
  const modelJobs = await startModelJobWorker({ db, keyRing, jobs, tasks });
  log.info('worker.ready');
  // What it has compiled by now is all that the next start needs, however this one ends.
  flushCompileCache();

  return {
    async stop() {
      await Promise.all([executions.stop(), delivery.stop(), modelJobs.stop()]);
      await tasks.stop();
      await jobs.stop();
      await egress.close();
      await database.close();
    },
  };
}

/** Those that took part: after a success only those that certainly did, after a failure all that may have. */
async function connectionsOf(
  db: Database,
  { organizationId, syncId, subject }: Execution,
  succeeded: boolean,
): Promise<string[]> {
  if (!('target_connection_id' in subject)) {
    return [subject.source_connection_id, subject.destination_connection_id];
  }
  const { own, others } = await sourcesOfModelSync(db, organizationId, syncId);
  return [subject.target_connection_id, own, ...(succeeded ? [] : others)];
}
