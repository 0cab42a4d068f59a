import { type ChildProcess, fork } from 'node:child_process';
import type { FromProcess, ToProcess } from './protocol.ts';
import { residentBytes } from './resident-bytes.ts';

/** How processes are started and watched. */
export interface IsolateOptions {
  /** Path of the program, which calls `serveTasks`. */
  program: string;
  args?: readonly string[];
  /** All of its environment. */
  environment: NodeJS.ProcessEnv;
  /** Resident memory, in MB, at which a process is killed. */
  memoryMb: number;
  /** Seconds without a beat of its event loop after which a process is killed. */
  silenceSeconds: number;
}

/** Why a process ended before its task did. */
export type Cause = 'memory' | 'silence' | 'killed' | 'exit';

/** A process died over a task. `message` says of what, in words for whoever gave the task. */
export class ProcessDied extends Error {
  override name = 'ProcessDied';
  readonly reason: Cause;

  constructor(reason: Cause, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What the task threw, as its stack: it was thrown in another process. */
export class TaskFailed extends Error {
  override name = 'TaskFailed';
}

/** Milliseconds between two looks at a process that works. */
const watchInterval = 250;

/** Milliseconds that a process may take to load its program, on the slowest of machines. */
const startLimit = 120_000;

/** Young objects live in 8 MiB instead of 32: 30 to 40 MB less for a model sync, and up to a tenth more CPU time. */
const semiSpaceMb = 8;

/** A process that works for this one. Its death is an error of its task, and of no other. */
export class Isolate {
  readonly #options: IsolateOptions;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #task: PromiseWithResolvers<unknown> | undefined;
  #watch: NodeJS.Timeout | undefined;
  #silentFor = 0;
  #hasStarted = false;
  #residentBytes = 0;
  #death: ProcessDied | undefined;

  /** What it leaves for later. */
  onLater: (kind: string, input: unknown) => void = () => {};

  constructor(options: IsolateOptions) {
    this.#options = options;
    this.#child = fork(options.program, options.args ?? [], {
      env: options.environment,
      execArgv: [
        ...process.execArgv,
        `--max-semi-space-size=${semiSpaceMb}`,
        `--max-old-space-size=${options.memoryMb}`,
      ],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    const exited = Promise.withResolvers<void>();
    this.#exited = exited.promise;
    const gone = (message: string) => {
      this.#die('exit', message);
      exited.resolve();
    };
    this.#child.on('message', (message) => this.#hear(message as FromProcess));
    // It has not begun when there is an error instead of an exit.
    this.#child.on('error', (error) => gone(`its process did not start: ${error.message}`));
    this.#child.once('exit', (code, signal) => gone(exitText(code, signal)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isDead(): boolean {
    return this.#death !== undefined;
  }

  /** Settles when the process is gone. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** As it last said, or as the kernel last said. */
  get residentBytes(): number {
    return this.#residentBytes;
  }

  /**
   * @returns what the task returns.
   * @throws ProcessDied, or TaskFailed with what the task threw.
   */
  run(kind: string, input: unknown): Promise<unknown> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    if (this.#task !== undefined) throw new Error('the process has a task');
    const task = Promise.withResolvers<unknown>();
    this.#task = task;
    this.#silentFor = 0;
    this.#watch = setInterval(() => this.#look(), watchInterval);
    this.#say({ say: 'run', kind, input });
    return task.promise;
  }

  /** Tells the task in hand something. */
  steer(how: string): void {
    if (this.#task !== undefined) this.#say({ say: 'steer', how });
  }

  /** @param why what a task that it has fails with. */
  kill(why = 'its process was ended'): void {
    this.#die('killed', why);
  }

  #say(message: ToProcess): void {
    // What cannot be sent any more is answered by the exit.
    this.#child.send(message, () => {});
  }

  #hear(message: FromProcess): void {
    this.#silentFor = 0;
    this.#hasStarted = true;
    if (message.say === 'beat') {
      this.#residentBytes = message.residentBytes;
      return;
    }
    if (message.say === 'later') {
      this.onLater(message.kind, message.input);
      return;
    }
    const task = this.#task;
    this.#rest();
    if (message.say === 'done') task?.resolve(message.result);
    else task?.reject(new TaskFailed(message.message));
  }

  /** Counts its own turns instead of asking the clock: while this process slept, that one had no chance to beat. */
  #look(): void {
    const { memoryMb, silenceSeconds } = this.#options;
    const pid = this.#child.pid;
    this.#residentBytes = (pid === undefined ? undefined : residentBytes(pid)) ?? this.#residentBytes;
    if (this.#residentBytes > memoryMb * 1024 * 1024) {
      this.#die('memory', `its process used more than ${memoryMb} MB of memory`);
      return;
    }
    this.#silentFor += watchInterval;
    if (this.#silentFor > (this.#hasStarted ? silenceSeconds * 1000 : startLimit))
      this.#die('silence', `its process did not respond for ${silenceSeconds} seconds`);
  }

  #rest(): void {
    clearInterval(this.#watch);
    this.#task = undefined;
  }

  #die(reason: Cause, message: string): void {
    if (this.#death !== undefined) return;
    this.#death = new ProcessDied(reason, message);
    this.#child.kill('SIGKILL');
    const task = this.#task;
    this.#rest();
    // Only when it can do nothing any more: what comes next may take over what it had.
    if (task !== undefined) void this.#exited.then(() => task.reject(this.#death));
  }
}

function exitText(code: number | null, signal: string | null): string {
  // V8 aborts at the end of its heap, and has told standard error so.
  if (signal === 'SIGABRT' || code === 134) return 'its process ran out of memory (SIGABRT)';
  return `its process ended (${signal ?? `code ${code}`})`;
}
