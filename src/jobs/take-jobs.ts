import { setTimeout as delay } from 'node:timers/promises';
import type { Job as BossJob, PgBoss } from 'pg-boss';
import type { Job, Queue } from './index.ts';

/** Milliseconds between two looks, for jobs that became due and for notifications that were lost. */
const lookInterval = 1000;

export interface TakeOptions {
  /** Jobs at a time. */
  concurrency: number;
  /** Jobs of one group at a time. */
  groupConcurrency?: number;
}

/**
 * Takes jobs of one queue whenever there is a place for one. pg-boss's own workers are a poller for each place, which takes
 * one job per interval however short the jobs are: 2 a second with four places.
 */
export class JobTaker<Data extends object> {
  readonly #boss: PgBoss;
  readonly #queue: Queue;
  readonly #options: TakeOptions;
  readonly #handler: (job: Job<Data>) => Promise<void>;
  readonly #onError: (error: Error) => void;
  readonly #active = new Map<BossJob<Data>, { lost: AbortController; done: Promise<void> }>();
  readonly #stopping = new AbortController();
  readonly #beating: NodeJS.Timeout;
  readonly #looking: NodeJS.Timeout;
  #filling: Promise<void> | undefined;
  #again = false;

  constructor(
    boss: PgBoss,
    queue: Queue,
    options: TakeOptions,
    handler: (job: Job<Data>) => Promise<void>,
    onError: (error: Error) => void,
  ) {
    this.#boss = boss;
    this.#queue = queue;
    this.#options = options;
    this.#handler = handler;
    this.#onError = onError;
    this.#beating = setInterval(() => void this.#beat(), (queue.heartbeatSeconds * 1000) / 2);
    this.#looking = setInterval(() => this.look(), lookInterval);
    this.look();
  }

  /** There may be a job to take. */
  look(): void {
    this.#again = true;
    this.#filling ??= this.#fill().then(
      () => {
        this.#filling = undefined;
        // Somebody said so after the last look and before this.
        if (this.#again) this.look();
      },
      (error: Error) => {
        this.#filling = undefined;
        this.#onError(error);
      },
    );
  }

  /** Takes no more, and waits for the handlers. @param graceMs at most so long. */
  async stop(graceMs?: number): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#looking);
    await this.#filling;
    const handlers = Promise.all([...this.#active.values()].map(({ done }) => done));
    const grace = new AbortController();
    const limit =
      graceMs === undefined ? [] : [delay(graceMs, undefined, { signal: grace.signal }).catch(() => {})];
    await Promise.race([handlers, ...limit]);
    grace.abort();
    clearInterval(this.#beating);
  }

  /** One at a time: with each that it takes, a group may have all that it may have. */
  async #fill(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      while (this.#active.size < this.#options.concurrency && !this.#stopping.signal.aborted) {
        const [job] = await this.#boss.fetch<Data>(this.#queue.name, { ignoreGroups: this.#fullGroups() });
        if (job === undefined) break;
        this.#start(job);
      }
    }
  }

  #fullGroups(): string[] {
    const { groupConcurrency = Number.POSITIVE_INFINITY } = this.#options;
    const taken = new Map<string, number>();
    for (const { groupId } of this.#active.keys()) {
      if (groupId) taken.set(groupId, (taken.get(groupId) ?? 0) + 1);
    }
    return [...taken].filter(([, count]) => count >= groupConcurrency).map(([group]) => group);
  }

  #start(job: BossJob<Data>): void {
    const lost = new AbortController();
    const { id, data, retryCount } = job;
    const done = this.#handler({ id, data, retryCount, signal: lost.signal })
      .then(
        async () => {
          await this.#boss.complete(this.#queue.name, job);
          return true;
        },
        async (error: Error) => {
          // What failed comes back with the next look: at once it would fail again and again.
          await this.#boss.fail(this.#queue.name, job, { message: error.message });
          return false;
        },
      )
      .catch((error: Error) => {
        // Its heartbeats will be missed, and whoever gets it finds that it was done.
        this.#onError(error);
        return false;
      })
      .then((isDone) => {
        this.#active.delete(job);
        if (isDone) this.look();
      });
    this.#active.set(job, { lost, done });
  }

  /** Says that the jobs are worked on, and tells the handlers of those that are somebody else's by now. */
  async #beat(): Promise<void> {
    const held = [...this.#active].filter(([, { lost }]) => !lost.signal.aborted);
    await Promise.all(
      held.map(async ([job, { lost }]) => {
        try {
          // Its type does not tell of the count that it documents.
          const touched = (await this.#boss.touch(this.#queue.name, job)) as { affected?: number };
          if (touched.affected === 0) lost.abort(new Error(`job ${job.id} is not ours any more`));
        } catch (error) {
          // A heartbeat that did not get through says nothing about the claim.
          this.#onError(error as Error);
        }
      }),
    );
  }
}
