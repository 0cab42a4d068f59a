import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { buildApp } from './api/index.ts';
import type { Config } from './config.ts';
import {
  type DatabaseHandle,
  type EmbeddedPostgres,
  maintainPartitions,
  migrate,
  openDatabase,
  startEmbeddedPostgres,
} from './db/index.ts';
import { createEgress } from './egress/index.ts';
import { executionQueue, releaseExecutions } from './executions/index.ts';
import {
  type DataDirectory,
  encryptionKeyIn,
  lockDataDirectory,
  openDataDirectory,
  Supervisor,
  writeSecret,
} from './host/index.ts';
import { startJobs } from './jobs/index.ts';
import type { Logger } from './lib/log.ts';
import { KeyRing } from './lib/seal.ts';
import { bootstrap } from './organizations/index.ts';
import { deliveryQueue, releaseDeliveries } from './webhooks/index.ts';

const hour = 3_600_000;
/** Workers get this long (ms) to reach a checkpoint; with the rest of the stop it stays below 10 s. */
const drainGrace = 8_000;
const databaseName = 'tidemark';

export interface Server {
  /** Where it listens, e.g. http://127.0.0.1:8080. */
  url: string;
  databaseUrl: string;
  organizationId: string;
  /** The first user's key, at the start that made it or was given it. */
  apiKey: string | undefined;
  directory: DataDirectory;
  /** Settles when the embedded PostgreSQL ended without being asked to; never, without one. */
  databaseGone: Promise<void>;
  /** Drains: no new work, running batches reach a checkpoint. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Builds everything from the configuration and starts it in this order: data directory and its lock, database,
 * migrations, partitions, first user, jobs, HTTP, workers. `stop` goes the other way round.
 *
 * @throws DataDirectoryInUse, ConfigError, or whatever keeps a part from starting; what had started is stopped.
 */
export async function startServer(config: Config, log: Logger): Promise<Server> {
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      await step().catch((error: unknown) => log.error({ err: error }, 'server.stop_failed'));
    }
  };
  try {
    return await start(config, log, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  undo: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
): Promise<Server> {
  const directory = await openDataDirectory(config.dataDir);
  const lock = await lockDataDirectory(directory.folder);
  undo.push(() => lock.release());

  const keys = config.encryptionKeys ?? [await encryptionKeyIn(directory.folder)];
  const keyRing = new KeyRing(keys);
  const embedded =
    config.databaseUrl === undefined ? await startEmbeddedPostgres(directory.folder) : undefined;
  if (embedded !== undefined) undo.push(() => embedded.stop());
  const databaseUrl = config.databaseUrl ?? (await embeddedDatabase(embedded as EmbeddedPostgres));
  await writeSecret(directory.databaseUrlFile, databaseUrl);

  await migrate(databaseUrl);
  const database = openDatabase(databaseUrl);
  undo.push(() => database.close());
  const retention = config.eventRetentionHours * hour;
  undo.push(await keepPartitions(database, retention, log));

  const first = await bootstrap({ db: database.db, apiKey: config.apiKey });
  if (first.apiKey !== undefined) await writeSecret(directory.apiKeyFile, first.apiKey);

  const jobs = await startJobs(databaseUrl, [executionQueue, deliveryQueue], 'send', (error) =>
    log.error({ err: error }, 'jobs.error'),
  );
  undo.push(() => jobs.stop());
  const egress = createEgress({ allow: config.egressAllow });
  undo.push(() => egress.close());

  const publicUrl = { value: config.publicUrl ?? '' };
  const app = buildApp({
    db: database.db,
    jobs,
    keyRing,
    egress,
    log,
    get publicUrl() {
      return publicUrl.value;
    },
    partnerKey: config.partnerKey,
    eventRetention: retention,
    recordLogFolder: directory.recordLogs,
  });
  undo.push(() => app.close());
  await app.listen({ host: config.host, port: config.port });
  const url = urlOf(config.host, app.server.address() as AddressInfo);
  publicUrl.value ||= url;

  const workers = new Supervisor({
    count: config.workers,
    environment: {
      ...config.environment,
      DATABASE_URL: databaseUrl,
      TIDEMARK_ENCRYPTION_KEY: keys.map((key) => key.toString('base64')).join(','),
      TIDEMARK_PUBLIC_URL: publicUrl.value,
      TIDEMARK_DATA_DIR: directory.folder,
    },
    log,
    async onDeath(workerId) {
      await releaseExecutions({ db: database.db, jobs }, workerId);
      await releaseDeliveries({ db: database.db, jobs }, workerId);
    },
  });
  workers.start();
  undo.push(() => workers.stop(drainGrace));

  return {
    url,
    databaseUrl,
    organizationId: first.organizationId,
    apiKey: first.apiKey,
    directory,
    databaseGone: embedded?.exited ?? new Promise(() => {}),
    stop,
  };
}

/** Our tables get a database of their own in the embedded server. */
async function embeddedDatabase(embedded: EmbeddedPostgres): Promise<string> {
  const client = new pg.Client(embedded.url());
  await client.connect();
  const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
  if (rowCount === 0) await client.query(`create database ${databaseName}`);
  await client.end();
  return embedded.url(databaseName);
}

async function keepPartitions(
  database: DatabaseHandle,
  retention: number,
  log: Logger,
): Promise<() => Promise<void>> {
  await maintainPartitions(database.db, retention);
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = maintainPartitions(database.db, retention).catch((error: unknown) => {
      log.error({ err: error }, 'partitions.maintenance_failed');
    });
  }, hour);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

function urlOf(host: string, { port }: AddressInfo): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
