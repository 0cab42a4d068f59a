import { type Job as BossJob, fromKysely, PgBoss } from 'pg-boss';
import { type Database, sessionOptions, type Transaction } from '../db/index.ts';
import { sessionName } from './workers.ts';

export { anyWorker } from './workers.ts';

/** pg-boss keeps its tables beside ours, in a schema of its own. */
const bossSchema = 'tidemark_jobs';

/** How one kind of job is treated. Declared by the module that owns the kind. */
export interface Queue {
  name: string;
  /** Seconds without a heartbeat after which another worker gets the job (at least 10). */
  heartbeatSeconds: number;
  /** Seconds one try may take. */
  expireInSeconds: number;
  /** Tries after the first, each when a worker died or threw. */
  retryLimit: number;
}

export interface NewJob {
  data: object;
  /** Fairness: the organization this job belongs to, or whatever must not crowd out others. */
  group?: string;
  startAfter?: Date;
}

export type Job<Data> = Pick<BossJob<Data>, 'id' | 'data' | 'signal' | 'retryCount'>;

/** Background jobs on pg-boss. Knows no job kinds. */
export interface Jobs {
  /** Adds jobs in the caller's transaction: they exist if and only if it commits. Returns their ids. */
  insert(tx: Transaction | Database, queue: Queue, jobs: NewJob[]): Promise<string[]>;
  /**
   * Gives active jobs back: another worker gets them as soon as the transaction commits, instead of after
   * missed heartbeats. Whatever their handlers report later is ignored.
   */
  release(tx: Transaction | Database, queue: Queue, ids: string[]): Promise<void>;
  /** Ends jobs that were not started. */
  remove(tx: Transaction | Database, queue: Queue, ids: string[]): Promise<void>;
  /**
   * Takes jobs of a queue. A handler that throws gives its job back, to be tried again within two seconds.
   *
   * @param options.groupConcurrency jobs of one group that run at a time in this process.
   */
  work<Data extends object>(
    queue: Queue,
    options: { concurrency: number; groupConcurrency?: number },
    handler: (job: Job<Data>) => Promise<void>,
  ): Promise<void>;
  /** Takes no more jobs of a queue and waits for its running handlers. */
  offWork(queue: Queue): Promise<void>;
  /** No new jobs; waits up to `graceMs` for running handlers, then leaves their jobs to be taken over. */
  stop(graceMs?: number): Promise<void>;
}

/**
 * @param role `send` only inserts (the API); `work` also takes jobs and supervises: it hands the jobs of dead
 *   workers on within heartbeat + 5 s.
 */
export async function startJobs(
  databaseUrl: string,
  queues: readonly Queue[],
  role: 'send' | 'work',
  onError: (error: Error) => void,
): Promise<Jobs> {
  const boss = new PgBoss({
    ...sessionOptions(databaseUrl),
    schema: bossSchema,
    application_name: sessionName(role),
    max: role === 'send' ? 2 : 6,
    useListenNotify: role === 'work',
    supervise: role === 'work',
    schedule: false,
    // A pass looks for missed heartbeats when both intervals are up.
    superviseIntervalSeconds: 5,
    monitorIntervalSeconds: 5,
    // Ended jobs are removed this often; by default once a day, and every pass above counts what is there.
    maintenanceIntervalSeconds: 60,
    openTelemetry: { enabled: false },
    registerInstance: false,
  });
  boss.on('error', onError);
  await boss.start();
  for (const queue of queues) await declare(boss, queue);

  return {
    async insert(tx, queue, jobs) {
      if (jobs.length === 0) return [];
      const rows = jobs.map(({ data, group, startAfter }) => ({
        data,
        ...(group === undefined ? {} : { group: { id: group } }),
        ...(startAfter === undefined ? {} : { startAfter }),
      }));
      return (await boss.insert(queue.name, rows, { db: fromKysely(tx), returnId: true })) ?? [];
    },
    async release(tx, queue, ids) {
      if (ids.length === 0) return;
      const db = fromKysely(tx);
      await boss.fail(queue.name, ids, null, { db });
      // Failing wakes nobody; making a waiting job due does.
      for (const id of ids) await boss.update(queue.name, undefined, { id, startAfter: 0, db });
    },
    async remove(tx, queue, ids) {
      if (ids.length > 0) await boss.deleteJob(queue.name, ids, { db: fromKysely(tx) });
    },
    async work<Data extends object>(
      queue: Queue,
      options: { concurrency: number; groupConcurrency?: number },
      handler: (job: Job<Data>) => Promise<void>,
    ) {
      await boss.work<Data>(
        queue.name,
        {
          localConcurrency: options.concurrency,
          ...(options.groupConcurrency === undefined
            ? {}
            : { localGroupConcurrency: options.groupConcurrency }),
          pollingIntervalSeconds: 1,
          notifyPollingIntervalSeconds: 2,
        },
        async (jobs: BossJob<Data>[]) => {
          for (const job of jobs) await handler(job);
        },
      );
    },
    offWork: (queue) => boss.offWork(queue.name),
    async stop(graceMs = 10_000) {
      await boss.stop({ graceful: true, timeout: graceMs });
    },
  };
}

/** What became of a job is in the tables of the module that owns it, so ended jobs go within two minutes. */
async function declare(boss: PgBoss, queue: Queue): Promise<void> {
  const { name, ...options } = queue;
  const settings = { ...options, retryDelay: 0, notify: true, deleteAfterSeconds: 60 };
  if ((await boss.getQueue(name)) === null) await boss.createQueue(name, settings);
  else await boss.updateQueue(name, settings);
}
