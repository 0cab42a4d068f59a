import { buildApp, lookTask, lookTaskOf } from './api/index.ts';
import { refreshTask, refreshTaskOf } from './connections/index.ts';
import { startClock } from './db/index.ts';
import type { EventFeed, EventLog } from './events/index.ts';
import { executionQueue } from './executions/index.ts';
import type { Task } from './isolation/index.ts';
import { type Jobs, startJobs } from './jobs/index.ts';
import { modelJobQueue } from './models/index.ts';
import type { IsolateDependencies } from './open-isolate.ts';

const hour = 3_600_000;

/** What a server has others do. */
export async function serverTasks(deps: IsolateDependencies): Promise<Record<string, Task>> {
  const { config, databaseUrl, log, later: _later, ...connections } = deps;
  const app = buildApp({
    ...deps,
    jobs: startedWhenUsed(() =>
      startJobs(databaseUrl, [executionQueue, modelJobQueue], 'send', (error) =>
        log.error({ err: error }, 'jobs.error'),
      ),
    ),
    partnerKey: config.partnerKey,
    eventRetention: config.eventRetentionHours * hour,
    // What the endpoint took is told, instead of that the look took too long.
    webhookDeadline: Math.min(config.webhookTimeoutSeconds, config.lookSeconds - 0.5) * 1000,
    // The server itself says that the machine's clock is off.
    clock: await startClock(deps.db, { warn() {}, info() {}, debug() {} }),
    eventFeed: absent<EventFeed>('events are followed by the server itself'),
    eventLog: absent<EventLog>('events are read by the server itself'),
  });
  await app.ready();
  return {
    [lookTask]: lookTaskOf(app),
    [refreshTask]: refreshTaskOf(connections),
  };
}

/** Most requests that look at a system start nothing. */
function startedWhenUsed(start: () => Promise<Jobs>): Jobs {
  let started: Promise<Jobs> | undefined;
  const jobs = () => {
    started ??= start();
    return started;
  };
  return {
    insert: async (...given) => (await jobs()).insert(...given),
    release: async (...given) => (await jobs()).release(...given),
    remove: async (...given) => (await jobs()).remove(...given),
    work: async (...given) => (await jobs()).work(...given),
    offWork: async (...given) => (await jobs()).offWork(...given),
    stop: async (...given) => (await started)?.stop(...given),
  };
}

function absent<Thing extends object>(reason: string): Thing {
  return new Proxy({} as Thing, {
    get() {
      throw new Error(reason);
    },
  });
}
