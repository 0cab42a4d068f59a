import { flushCompileCache } from 'node:module';
import type { AddressInfo } from 'node:net';
import { type ApiDependencies, type App, buildApp } from './api/index.ts';
import { startScheduledBulkSync } from './bulk-syncs/index.ts';
import { environmentOf } from './child-environment.ts';
import { type Config, ConfigError } from './config.ts';
import { type RefreshTaskInput, refreshDied, refreshTask } from './connections/index.ts';
import {
  type DatabaseHandle,
  loopSessions,
  maintainPartitions,
  migrate,
  openDatabase,
  startClock,
  startEmbeddedPostgres,
  statementLimit,
} from './db/index.ts';
import { noEgress } from './egress/index.ts';
import { messageOf, TidemarkError } from './errors.ts';
import { openEventLog, startEventFeed } from './events/index.ts';
import {
  executionQueue,
  openRecordLogStore,
  releaseExecutions,
  startRetention,
  watchQueue,
} from './executions/index.ts';
import {
  announceServer,
  checkEncryptionKeys,
  type DataDirectory,
  encryptionKeys,
  isCopyOfRunning,
  lockDataDirectory,
  openDataDirectory,
  requireEncryptionKeys,
  Supervisor,
  writeSecret,
} from './host/index.ts';
import { ProcessPool } from './isolation/index.ts';
import { startJobs } from './jobs/index.ts';
import type { Logger } from './lib/log.ts';
import { programPath } from './lib/program.ts';
import { KeyRing } from './lib/seal.ts';
import { dropStaleTables, startScheduledModelSync } from './model-syncs/index.ts';
import { modelJobQueue } from './models/index.ts';
import { bootstrap } from './organizations/index.ts';
import { startScheduler } from './schedules/index.ts';
import { releaseDeliveries } from './webhooks/index.ts';

const hour = 3_600_000;
/** How long (ms) workers may take to reach a checkpoint, then open requests to end: together below 10 s. */
const workerGrace = 7000;
const requestGrace = 1000;
/** Milliseconds that a process is kept for the next request that looks at a system. */
const looksKeptFor = 30_000;

export interface Server {
  /** Where it listens, e.g. http://127.0.0.1:8080. */
  url: string;
  databaseUrl: string;
  organizationId: string;
  /** The first user's key: the configured one, or the one this start made. */
  apiKey: string | undefined;
  directory: DataDirectory;
  /** Rejects when the embedded PostgreSQL ended without being asked to. */
  databaseLost: Promise<never>;
  /** Drains: no new work, running batches reach a checkpoint. Safe to call twice. */
  stop(): Promise<void>;
}

/** What to do at the stop, in the opposite order of the start. */
type Undo = (() => Promise<unknown>)[];

/**
 * Builds everything from the configuration and starts it in this order: data directory and its lock, database,
 * migrations, partitions, first user, jobs, HTTP, schedules, workers. `stop` goes the other way round.
 *
 * @throws DataDirectoryInUse, ConfigError, or whatever keeps a part from starting; what had started is stopped.
 */
export async function startServer(config: Config, log: Logger): Promise<Server> {
  const undo: Undo = [];
  const undoAll = async () => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
      await step().catch((error: unknown) => log.error({ err: error }, 'server.stop_failed'));
    }
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= undoAll();
    return stopped;
  };
  try {
    return { ...(await start(config, log, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(config: Config, log: Logger, undo: Undo): Promise<Omit<Server, 'stop'>> {
  const directory = await openDataDirectory(config.dataDir);
  const lock = await lockDataDirectory(directory);
  undo.push(() => lock.release());
  if (config.databaseUrl === undefined && (await isCopyOfRunning(directory))) {
    const reason =
      'It was copied while its server ran, or after that was killed: what the database holds may be incomplete. ' +
      'Copy it while the server is stopped.';
    log.warn({ folder: directory.folder, reason }, 'data_directory.copied_while_running');
  }
  const { keys, ...origin } = await encryptionKeys(config, directory);
  const keyRing = new KeyRing(keys);
  const recordLogStore = await openRecordLogs(config, directory, log);
  undo.push(() => recordLogStore.close());
  const { recordLogs } = recordLogStore;

  const embedded = config.databaseUrl === undefined ? await startOwnPostgres(directory.folder) : undefined;
  if (embedded !== undefined) undo.push(() => embedded.stop());
  const databaseUrl = config.databaseUrl ?? (await embedded?.database('tidemark')) ?? '';
  await prepareDatabase(config, databaseUrl);
  const database = openDatabase(databaseUrl, 10, statementLimit);
  const { db } = database;
  undo.push(() => database.close());
  const loops = openDatabase(databaseUrl, 4, loopSessions);
  undo.push(() => loops.close());
  const unreadable = await checkEncryptionKeys(db, keyRing, origin);
  if (Object.keys(unreadable).length > 0) log.warn({ unreadable }, 'secrets.unreadable');
  await origin.keep();
  const clock = await startClock(db, log);
  undo.push(() => clock.stop());
  const eventRetention = config.eventRetentionHours * hour;
  undo.push(await keepTables(loops, eventRetention, log));

  const keep = (key: string) => writeSecret(directory.apiKeyFile, key);
  const { organizationId, apiKey } = await bootstrap({ db, apiKey: config.apiKey, keep });

  const jobs = await startJobs(databaseUrl, [executionQueue, modelJobQueue], 'send', (error) =>
    log.error({ err: error }, 'jobs.error'),
  );
  undo.push(() => jobs.stop());
  const eventFeed = await startEventFeed(databaseUrl);
  undo.push(() => eventFeed.stop());
  await requireEncryptionKeys(db, keyRing, { ...origin, isNew: false });
  const eventLog = openEventLog(databaseUrl);
  undo.push(() => eventLog.close());

  const { folder } = directory;
  const environment = environmentOf(config, { databaseUrl, keys, publicUrl: config.publicUrl ?? '', folder });
  const tasks = new ProcessPool({
    program: programPath('isolate'),
    args: ['server'],
    environment,
    memoryMb: config.lookMemoryMb,
    silenceSeconds: config.silenceSeconds,
    places: config.looks,
    placesPerOwner: Math.max(1, config.looks - 1),
    keptFor: looksKeptFor,
    onFailure(kind, input, error) {
      log.warn({ task: kind, reason: error.message }, 'task.failed');
      if (kind === refreshTask) void refreshDied(db, input as RefreshTaskInput, error.message);
    },
  });
  undo.push(() => tasks.stop());
  const dependencies: ApiDependencies = {
    db,
    clock,
    jobs,
    looks: { tasks, deadline: config.lookSeconds * 1000 },
    later: (owner, kind, input) => tasks.later(owner, kind, input),
    keyRing,
    egress: noEgress,
    duckdbDir: config.duckdbDir,
    log,
    publicUrl: config.publicUrl ?? '',
    partnerKey: config.partnerKey,
    eventRetention,
    eventFeed,
    eventLog,
    webhookDeadline: config.webhookTimeoutSeconds * 1000,
    recordLogs,
  };
  const app = buildApp(dependencies);
  undo.push(() => close(app));
  const url = await listen(app, config);
  // Known only now if any free port was asked for.
  dependencies.publicUrl ||= url;
  environment.TIDEMARK_PUBLIC_URL = dependencies.publicUrl;
  const running = await announceServer(directory, { url, databaseUrl: embedded && databaseUrl });
  undo.push(() => running.retract());

  const scheduler = await startScheduler(
    { db: loops.db, databaseUrl, log },
    {
      model: (tx, schedule) => startScheduledModelSync({ db: tx, jobs }, schedule),
      bulk: (tx, schedule) => startScheduledBulkSync({ db: tx, jobs }, schedule),
    },
  );
  undo.push(() => scheduler.stop());
  const retention = startRetention(
    { db: loops.db, recordLogs },
    { recordLogDays: config.recordLogRetentionDays, executionDays: config.executionRetentionDays },
    log,
  );
  undo.push(() => retention.stop());
  const queue = watchQueue({ db: loops.db, log });
  undo.push(() => queue.stop());

  const workers = new Supervisor({
    count: config.workers,
    environment,
    log,
    async onDeath(workerId) {
      await releaseExecutions({ db: loops.db, jobs }, workerId);
      await releaseDeliveries(loops.db, {
        attempts: config.webhookRetrySeconds.length + 1,
        deadline: config.webhookTimeoutSeconds * 1000,
        workerId,
      });
    },
  });
  workers.start();
  flushCompileCache();
  // Without their database workers cannot reach a checkpoint, and waiting for them only delays the next start.
  let grace = workerGrace;
  embedded?.lost.catch(() => {
    grace = 0;
  });
  undo.push(() => workers.stop(grace));

  return {
    url,
    databaseUrl,
    organizationId,
    apiKey,
    directory,
    databaseLost: embedded?.lost ?? new Promise(() => {}),
  };
}

/** Whatever keeps it from starting is of this machine: PostgreSQL's own words say it, no place in our code does. */
async function startOwnPostgres(folder: string) {
  try {
    return await startEmbeddedPostgres(folder);
  } catch (cause) {
    throw new ConfigError(
      `the embedded PostgreSQL of ${folder} does not start: ${messageOf(cause)}\n` +
        'A copy of a data directory has to keep its owners (cp -a) and be made while its server is stopped. ' +
        'DATABASE_URL takes a PostgreSQL of your own instead.',
      { cause },
    );
  }
}

/** A database that cannot be used is the configuration's fault, unless it is our own. */
async function prepareDatabase(config: Config, databaseUrl: string): Promise<void> {
  try {
    await migrate(databaseUrl);
  } catch (cause) {
    if (config.databaseUrl === undefined) throw cause;
    throw new ConfigError(`DATABASE_URL: ${messageOf(cause)}`, { cause });
  }
}

/** A store that refuses is the configuration's fault; one that is away may come back. */
async function openRecordLogs(config: Config, directory: DataDirectory, log: Logger) {
  const store = openRecordLogStore(config, directory.recordLogs);
  try {
    await store.test();
    return store;
  } catch (cause) {
    if (cause instanceof TidemarkError) {
      await store.close();
      throw new ConfigError(`TIDEMARK_RECORD_LOGS: ${cause.message}`, { cause });
    }
    log.warn({ err: cause }, 'record_logs.unreachable');
    return store;
  }
}

async function keepTables(
  database: DatabaseHandle,
  retention: number,
  log: Logger,
): Promise<() => Promise<void>> {
  await maintainPartitions(database.db, retention);
  const round = async () => {
    await maintainPartitions(database.db, retention);
    await dropStaleTables(database.db);
  };
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = round().catch((error: unknown) => log.error({ err: error }, 'tables.maintenance_failed'));
  }, hour);
  return async () => {
    clearInterval(timer);
    await running;
  };
}

async function listen(app: App, { host, port }: Config): Promise<string> {
  try {
    await app.listen({ host, port, listenTextResolver: () => 'server.listening' });
  } catch (cause) {
    throw new ConfigError(`TIDEMARK_HOST, TIDEMARK_PORT: ${messageOf(cause)}`, { cause });
  }
  const address = app.server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${address.port}`;
}

/** Open requests get a moment to end; idle connections are closed at once. */
async function close(app: App): Promise<void> {
  const killer = setTimeout(() => app.server.closeAllConnections(), requestGrace);
  await app.close();
  clearTimeout(killer);
}
