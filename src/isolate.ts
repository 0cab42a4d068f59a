/**
 * A process that runs what speaks to systems of users, for the worker or server that started it: an execution, a model job,
 * a look at a connection. Whatever such a system makes of it, it dies alone.
 */
import { bulkSyncRunner } from './bulk-syncs/index.ts';
import { readConfig } from './config.ts';
import { followTask, followTaskOf } from './connections/index.ts';
import { openDatabase } from './db/index.ts';
import { createEgress } from './egress/index.ts';
import { executionTask, executionTaskOf, openRecordLogStore, runInProcess } from './executions/index.ts';
import { openDataDirectory } from './host/index.ts';
import { serveTasks } from './isolation/index.ts';
import { createLog } from './lib/log.ts';
import { KeyRing } from './lib/seal.ts';
import { changeModel, modelSyncRunner } from './model-syncs/index.ts';
import { modelJobTask, modelJobTaskOf } from './models/index.ts';

/** Sessions of the metadata database that one execution may need at a time. */
const sessions = 4;

const config = readConfig(process.env);
const { databaseUrl = '', encryptionKeys = [], publicUrl = '' } = config;
const directory = await openDataDirectory(config.dataDir);
const log = createLog(config.logLevel);
const { db } = openDatabase(databaseUrl, sessions);
const keyRing = new KeyRing(encryptionKeys);
const egress = createEgress({ allow: config.egressAllow });
const connections = { db, keyRing, egress, duckdbDir: config.duckdbDir };
const { recordLogs } = openRecordLogStore(config, directory.recordLogs);

const runners = {
  model: modelSyncRunner(connections),
  bulk: bulkSyncRunner(connections, { rangeRows: config.bulkRangeRows, streams: config.bulkStreams }),
};

serveTasks({
  [executionTask]: executionTaskOf(db, runInProcess({ db, log, recordLogs, publicUrl }, runners)),
  [modelJobTask]: modelJobTaskOf({ ...connections, changeModel }),
  [followTask]: followTaskOf(connections),
});
