import { Isolate, type IsolateOptions } from './isolate.ts';

export interface PoolOptions extends IsolateOptions {
  /** Tasks at a time. */
  places: number;
  /** Tasks of one owner at a time. */
  placesPerOwner: number;
  /** Milliseconds that a process without a task is kept: for its owner, or as the spare. */
  keptFor: number;
  /** A task failed that nobody waits for. */
  onFailure?: (kind: string, input: unknown, error: Error) => void;
}

/** A task in a process, or waiting for one. */
export interface GivenTask {
  /** @throws ProcessDied, TaskFailed. */
  result: Promise<unknown>;
  /** Tells the task something, as soon as it runs. */
  steer(how: string): void;
  /** Ends the process, or the waiting. `result` fails with this reason. */
  kill(why: string): void;
}

/** Whoever runs tasks of owners. */
export interface TaskHost {
  /** Takes a task: it starts at once when there is a place for its owner, or waits for one. */
  give(owner: string, kind: string, input: unknown): GivenTask;
}

interface Waiting {
  owner: string;
  start(isolate: Isolate): void;
}

/** With the timer that ends it. */
interface Idle {
  isolate: Isolate;
  owner: string;
  timer: NodeJS.Timeout;
}

/**
 * Processes for tasks of owners, i.e. organizations. A process serves one owner in all its life: nothing of one can reach
 * another. A spare without an owner is started whenever there is work, because starting takes as long as many a task.
 */
export class ProcessPool implements TaskHost {
  readonly #options: PoolOptions;
  /** Tasks in hand, by owner. */
  readonly #running = new Map<string, number>();
  readonly #waiting: Waiting[] = [];
  readonly #idle = new Set<Idle>();
  readonly #alive = new Set<Isolate>();
  #spare: { isolate: Isolate; timer: NodeJS.Timeout } | undefined;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  give(owner: string, kind: string, input: unknown): GivenTask {
    const result = Promise.withResolvers<unknown>();
    const early: string[] = [];
    let isolate: Isolate | undefined;
    const entry: Waiting = {
      owner,
      start: (given) => {
        isolate = given;
        given.onLater = (kind, input) => this.later(owner, kind, input);
        given.run(kind, input).then(result.resolve, result.reject);
        for (const how of early) given.steer(how);
        void result.promise.catch(() => {}).finally(() => this.#release(owner, given));
      },
    };
    this.#waiting.push(entry);
    this.#assign();
    return {
      result: result.promise,
      steer: (how) => (isolate === undefined ? early.push(how) : isolate.steer(how)),
      kill: (why) => {
        const at = this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        if (isolate === undefined) result.reject(new Error(why));
        else isolate.kill(why);
      },
    };
  }

  /** Takes a task that nobody waits for. */
  later(owner: string, kind: string, input: unknown): void {
    this.give(owner, kind, input).result.catch((error: Error) =>
      this.#options.onFailure?.(kind, input, error),
    );
  }

  /** How many there are, the spare included. */
  get processes(): number {
    return this.#alive.size;
  }

  /** Ends all processes, with whatever they have in hands. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#spare?.timer);
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle.clear();
    const ends = [...this.#alive].map((isolate) => {
      isolate.kill();
      return isolate.exited;
    });
    await Promise.all(ends);
  }

  /** Gives places to those who wait: first to owners with the fewest tasks, then in their order. */
  #assign(): void {
    for (;;) {
      const next = this.#stopped || this.#count() >= this.#options.places ? undefined : this.#next();
      if (next === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#running.set(next.owner, this.#of(next.owner) + 1);
      next.start(this.#processFor(next.owner));
      this.#prepareSpare();
    }
  }

  #next(): Waiting | undefined {
    let best: Waiting | undefined;
    for (const one of this.#waiting) {
      if (this.#of(one.owner) >= this.#options.placesPerOwner) continue;
      if (best === undefined || this.#of(one.owner) < this.#of(best.owner)) best = one;
    }
    return best;
  }

  #processFor(owner: string): Isolate {
    for (const idle of this.#idle) {
      if (idle.owner !== owner || idle.isolate.isDead) continue;
      this.#forget(idle);
      return idle.isolate;
    }
    // Another owner's process only takes up memory while this one works.
    if (this.#idle.size + this.#count() > this.#options.places) this.#endOldest();
    const spare = this.#spare;
    this.#spare = undefined;
    clearTimeout(spare?.timer);
    return spare === undefined || spare.isolate.isDead ? this.#start() : spare.isolate;
  }

  #release(owner: string, isolate: Isolate): void {
    const left = this.#of(owner) - 1;
    if (left > 0) this.#running.set(owner, left);
    else this.#running.delete(owner);
    const { keptFor, memoryMb } = this.#options;
    // One that has grown is not given a task again: it may be halfway to its limit by what the last one left.
    const isGrown = isolate.residentBytes > (memoryMb * 1024 * 1024) / 2;
    if (isGrown || this.#stopped) isolate.kill();
    else if (!isolate.isDead) {
      const idle: Idle = { isolate, owner, timer: setTimeout(() => this.#end(idle), keptFor) };
      this.#idle.add(idle);
    }
    this.#assign();
  }

  #prepareSpare(): void {
    const { keptFor } = this.#options;
    if (this.#spare !== undefined && !this.#spare.isolate.isDead) {
      this.#spare.timer.refresh();
      return;
    }
    const isolate = this.#start();
    const timer = setTimeout(() => {
      if (this.#spare?.isolate !== isolate) return;
      this.#spare = undefined;
      isolate.kill();
    }, keptFor);
    this.#spare = { isolate, timer };
  }

  #start(): Isolate {
    const isolate = new Isolate(this.#options);
    this.#alive.add(isolate);
    void isolate.exited.then(() => this.#alive.delete(isolate));
    return isolate;
  }

  #endOldest(): void {
    const [oldest] = this.#idle;
    if (oldest !== undefined) this.#end(oldest);
  }

  #end(idle: Idle): void {
    this.#forget(idle);
    idle.isolate.kill();
  }

  #forget(idle: Idle): void {
    clearTimeout(idle.timer);
    this.#idle.delete(idle);
  }

  #of(owner: string): number {
    return this.#running.get(owner) ?? 0;
  }

  #count(): number {
    let count = 0;
    for (const tasks of this.#running.values()) count += tasks;
    return count;
  }
}
