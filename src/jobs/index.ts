import { sql } from 'kysely';
import { type Job as BossJob, fromKysely, PgBoss } from 'pg-boss';
import { type Database, listen, sessionOptions, type Transaction } from '../db/index.ts';
import { JobTaker, type TakeOptions } from './take-jobs.ts';
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
   * Takes jobs of a queue. A handler that throws gives its job back, to be tried again within a second.
   */
  work<Data extends object>(
    queue: Queue,
    options: TakeOptions,
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
    useListenNotify: false,
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
  const takers = new Map<string, { look(): void; stop(graceMs?: number): Promise<void> }>();
  const lookAll = () => {
    for (const taker of takers.values()) taker.look();
  };
  const listener =
    role === 'work'
      ? await listen(databaseUrl, { [channel]: (name) => takers.get(name)?.look() }, lookAll)
      : undefined;

  return {
    async insert(tx, queue, jobs) {
      if (jobs.length === 0) return [];
      const rows = jobs.map(({ data, group, startAfter }) => ({
        data,
        ...(group === undefined ? {} : { group: { id: group } }),
        ...(startAfter === undefined ? {} : { startAfter }),
      }));
      const ids = (await boss.insert(queue.name, rows, { db: fromKysely(tx), returnId: true })) ?? [];
      await announce(tx, queue);
      return ids;
    },
    async release(tx, queue, ids) {
      if (ids.length === 0) return;
      await boss.fail(queue.name, ids, null, { db: fromKysely(tx) });
      await announce(tx, queue);
    },
    async remove(tx, queue, ids) {
      if (ids.length > 0) await boss.deleteJob(queue.name, ids, { db: fromKysely(tx) });
    },
    async work<Data extends object>(
      queue: Queue,
      options: TakeOptions,
      handler: (job: Job<Data>) => Promise<void>,
    ) {
      takers.set(queue.name, new JobTaker(boss, queue, options, handler, onError));
    },
    async offWork(queue) {
      await takers.get(queue.name)?.stop();
      takers.delete(queue.name);
    },
    async stop(graceMs = 10_000) {
      await Promise.all([...takers.values()].map((taker) => taker.stop(graceMs)));
      await listener?.stop();
      await boss.stop({ graceful: false });
    },
  };
}

/** Whoever takes jobs is told the queue that has one. Read only by our own workers, unlike pg-boss's channel. */
const channel = 'tidemark_jobs';

const announce = (tx: Transaction | Database, { name }: Queue) =>
  sql`select pg_notify(${channel}, ${name})`.execute(tx);

/** What became of a job is in the tables of the module that owns it, so ended jobs go within two minutes. */
async function declare(boss: PgBoss, queue: Queue): Promise<void> {
  const { name, ...options } = queue;
  const settings = { ...options, retryDelay: 0, notify: false, deleteAfterSeconds: 60 };
  if ((await boss.getQueue(name)) === null) await boss.createQueue(name, settings);
  else await boss.updateQueue(name, settings);
}
