import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programPath } from '../../lib/program.ts';
import { ConnectionLost } from '../contract.ts';
import { DuckDBError } from './errors.ts';
import type { Answer, Request } from './protocol.ts';

const program = programPath('duckdb-engine');

/**
 * Idle processes that are kept, and milliseconds until one ends. Starting one and loading the driver takes five times
 * as long as opening a small database; a table of a bulk sync opens several in turn.
 */
const keptProcesses = 2;
const keptFor = 10_000;

/** With the timer that ends it. */
const idle = new Map<EngineProcess, NodeJS.Timeout>();

/** A process without a database: an idle one, or a new one. */
export function takeProcess(): EngineProcess {
  const [kept] = idle.keys();
  if (kept === undefined) return new EngineProcess();
  forget(kept);
  kept.keepAlive(true);
  return kept;
}

/** Keeps a process for the next one who needs it. It has no database open, and was never sent SQL that a user wrote. */
export function keepProcess(one: EngineProcess): void {
  if (idle.size >= keptProcesses) return void one.end();
  const timer = setTimeout(() => void one.end(), keptFor).unref();
  idle.set(one, timer);
  one.keepAlive(false);
}

function forget(one: EngineProcess): void {
  clearTimeout(idle.get(one));
  idle.delete(one);
}

/** The process that has a database open. It dies with ours. */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #pending = new Map<number, PromiseWithResolvers<Answer>>();
  #requests = 0;
  #ended: Error | undefined;

  constructor() {
    this.#child = fork(program, {
      execArgv: [],
      // Nothing of the server's environment, which holds its secrets.
      env: {
        PATH: process.env.PATH,
        TZ: 'UTC',
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compiledCode(),
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    // It has not even begun when there is an error instead.
    this.#exited = Promise.race([once(this.#child, 'exit'), once(this.#child, 'error')]).catch(() => {});
    this.#child.on('message', (message) => this.#settle(message as Answer & { id: number }));
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.once('exit', (code, how) =>
      this.#fail(new ConnectionLost(`DuckDB has ended (${how ?? `code ${code}`})`)),
    );
  }

  /** Whether it works on a request. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /** @throws DuckDBError for what DuckDB refused, ConnectionLost when the process has ended. */
  async request(request: Request): Promise<Answer> {
    if (this.#ended !== undefined) throw this.#ended;
    const waiting = Promise.withResolvers<Answer>();
    const id = ++this.#requests;
    this.#pending.set(id, waiting);
    this.#child.send({ id, ...request }, (error) => {
      if (error) this.#fail(new ConnectionLost('DuckDB has ended', { cause: error }));
    });
    return waiting.promise;
  }

  /** Closes what is open, and ends. */
  async end(): Promise<void> {
    forget(this);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
  }

  /** Ends in the middle of whatever it does. */
  async kill(): Promise<void> {
    this.#fail(new ConnectionLost('DuckDB was ended'));
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Whether our process stays alive for it. */
  keepAlive(whether: boolean): void {
    const how = whether ? 'ref' : 'unref';
    this.#child[how]();
    this.#child.channel?.[how]();
  }

  #settle({ id, ...answer }: Answer & { id: number }): void {
    const waiting = this.#pending.get(id);
    this.#pending.delete(id);
    if ('error' in answer) waiting?.reject(new DuckDBError(answer.error));
    else waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
    forget(this);
  }
}

let compiled: string | undefined;

/** Where this process keeps what Node compiles for engines: a quarter of what it takes to start one. */
function compiledCode(): string {
  if (compiled === undefined) {
    // Named like those of lib/temp-folder.ts, which removes what killed processes have left.
    const folder = mkdtempSync(path.join(tmpdir(), `tidemark-files-${process.pid}-`));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    compiled = folder;
  }
  return compiled;
}
