import { type Config, readConfig } from './config.ts';
import type { OpenDependencies } from './connections/index.ts';
import { openDatabase } from './db/index.ts';
import { createEgress } from './egress/index.ts';
import { openRecordLogStore, type RecordLogStore } from './executions/index.ts';
import { openDataDirectory, ownPorts } from './host/index.ts';
import { later } from './isolation/index.ts';
import { createLog, type Logger } from './lib/log.ts';
import { KeyRing } from './lib/seal.ts';

/** What tasks may use, whatever they are. */
export interface IsolateDependencies extends OpenDependencies {
  config: Config;
  databaseUrl: string;
  log: Logger;
  recordLogs: RecordLogStore;
  publicUrl: string;
}

/** Sessions of the metadata database that one task may need at a time. */
const sessions = 4;

/** The environment is complete: whoever starts such a process has read and checked its configuration. */
export async function openIsolate(environment: NodeJS.ProcessEnv): Promise<IsolateDependencies> {
  const config = readConfig(environment);
  const { databaseUrl = '', encryptionKeys = [], publicUrl = '' } = config;
  const directory = await openDataDirectory(config.dataDir);
  return {
    config,
    databaseUrl,
    db: openDatabase(databaseUrl, sessions).db,
    keyRing: new KeyRing(encryptionKeys),
    egress: createEgress({
      allow: config.egressAllow,
      ownPorts: await ownPorts(directory, databaseUrl),
    }),
    duckdbDir: config.duckdbDir,
    later: (_organizationId, kind, input) => later(kind, input),
    log: createLog(config.logLevel),
    recordLogs: openRecordLogStore(config, directory.recordLogs).recordLogs,
    publicUrl,
  };
}
