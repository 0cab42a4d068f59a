import { bulkSyncRunner } from './bulk-syncs/index.ts';
import type { Config } from './config.ts';
import { followExecution } from './connections/index.ts';
import { type Database, openDatabase } from './db/index.ts';
import { createEgress } from './egress/index.ts';
import {
  type Execution,
  executionQueue,
  openRecordLogStore,
  startExecutionWorker,
} from './executions/index.ts';
import { encryptionKeys, openDataDirectory, readRunningServer, requireEncryptionKeys } from './host/index.ts';
import { startJobs } from './jobs/index.ts';
import type { Logger } from './lib/log.ts';
import { KeyRing } from './lib/seal.ts';
import { changeModel, modelSyncRunner, sourcesOfModelSync } from './model-syncs/index.ts';
import { modelJobQueue, startModelJobWorker } from './models/index.ts';
import { startDeliveryWorker } from './webhooks/index.ts';

/**
 * One worker process: runs executions and delivers webhooks from the same database as the server. Any number
 * may run, on any machine that reaches the database and the record logs.
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
  const database = openDatabase(databaseUrl, config.executionsPerWorker * 3 + 8);
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
  const egress = createEgress({ allow: config.egressAllow });
  const { recordLogs, ...recordLogStore } = openRecordLogStore(config, directory.recordLogs);

  const connections = { db, keyRing, egress, duckdbDir: config.duckdbDir };
  const runners = {
    model: modelSyncRunner(connections),
    bulk: bulkSyncRunner(connections, { rangeRows: config.bulkRangeRows, streams: config.bulkStreams }),
  };
  const server = await readRunningServer(directory);
  const publicUrl = config.publicUrl ?? server?.url ?? `http://${config.host}:${config.port}`;
  if (config.recordLogs === undefined && server === undefined) {
    const reason =
      'No server runs on this data directory, so none finds the record logs that are written here. ' +
      'Set TIDEMARK_RECORD_LOGS to one folder or bucket for the server and all workers.';
    log.warn({ folder: directory.recordLogs, reason }, 'record_logs.not_shared');
  }
  const executions = await startExecutionWorker(
    {
      db,
      jobs,
      databaseUrl,
      log,
      recordLogs,
      publicUrl,
      workerId,
      async afterEnd(execution, signal) {
        const succeeded = execution.status === 'completed';
        const ids = await connectionsOf(db, execution, succeeded);
        await followExecution(connections, execution.organizationId, ids, succeeded, signal);
      },
    },
    runners,
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
  const modelJobs = await startModelJobWorker({ ...connections, jobs, changeModel });
  log.info('worker.ready');

  return {
    async stop() {
      await Promise.all([executions.stop(), delivery.stop(), modelJobs.stop()]);
      await jobs.stop();
      await egress.close();
      await recordLogStore.close();
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
