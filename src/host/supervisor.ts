import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../lib/log.ts';
import { programPath } from '../lib/program.ts';

const main = programPath('main');

/** Milliseconds between a worker's death and its successor, growing while workers die young. */
const firstPause = 100;
const longestPause = 30_000;
/** A worker that lived this long (ms) died of something new. */
const longLife = 60_000;

export interface SupervisorOptions {
  count: number;
  /** Environment of the workers, over this process's own. */
  environment: Record<string, string>;
  log: Logger;
  /** Hands on what a dead worker had in hands. Called before its successor starts. */
  onDeath(workerId: string): Promise<void>;
}

/**
 * Keeps worker processes running. Each gets an id of its own at every start, so that what a dead one had
 * claimed can be told from what its successor claims. Workers end by themselves when this process is gone.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #children = new Set<ChildProcess>();
  readonly #keepers: Promise<void>[] = [];
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(): void {
    for (let index = 0; index < this.#options.count; index++) this.#keepers.push(this.#keep());
  }

  /** @param graceMs how long workers may drain before they are killed. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    for (const child of this.#children) child.kill('SIGTERM');
    const killer = setTimeout(() => {
      for (const child of this.#children) child.kill('SIGKILL');
    }, graceMs);
    await Promise.all(this.#keepers);
    clearTimeout(killer);
  }

  async #keep(): Promise<void> {
    const { log, onDeath } = this.#options;
    const { signal } = this.#stopping;
    let pause = firstPause;
    while (!signal.aborted) {
      const workerId = crypto.randomUUID();
      const started = Date.now();
      const end = await this.#run(workerId);
      if (signal.aborted) return;
      log.error({ worker_id: workerId, ...end }, 'worker.died');
      await onDeath(workerId).catch((error: unknown) => {
        // Their heartbeats will be missed and they are handed on then.
        log.error({ err: error, worker_id: workerId }, 'worker.release_failed');
      });
      pause = Date.now() - started > longLife ? firstPause : Math.min(pause * 2, longestPause);
      await delay(pause, undefined, { signal }).catch(() => {});
    }
  }

  /** Settles with how the worker ended, also when there was no memory or process to start it with. */
  async #run(workerId: string): Promise<object> {
    const child = spawn(process.execPath, [...process.execArgv, main, 'worker', '--id', workerId], {
      env: { ...process.env, ...this.#options.environment },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // A group of its own: what it leaves behind when it dies can be ended, however busy that is.
      detached: true,
    });
    this.#children.add(child);
    try {
      const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
      return { worker_pid: child.pid, code, signal };
    } catch (error) {
      return { err: error };
    } finally {
      this.#children.delete(child);
      endGroup(child);
    }
  }
}

/** The processes of a worker's executions end with its connection, unless they are too busy to notice. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === 'win32') return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // None is left.
  }
}
