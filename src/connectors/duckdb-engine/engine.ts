import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TidemarkError } from '../../errors.ts';
import { ConnectionLost, type RowStream } from '../contract.ts';
import { type EngineProcess, keepProcess, takeProcess } from './engine-process.ts';
import { DuckDBError, isOutOfMemory } from './errors.ts';
import { literal } from './names.ts';
import type { Answer, Request, Row } from './protocol.ts';
import { copyLine, json, type ReadColumn, rendering } from './read-types.ts';
import { RowPipe } from './row-pipe.ts';

export interface EngineOptions {
  /** A database file, absolute: made unless `readOnly`. Without one the database is in memory. */
  file?: string;
  readOnly?: boolean;
  /** The file is read once, soon: it is written fast rather than small. */
  scratch?: boolean;
  /** Bytes of memory to begin with, e.g. what another engine needed for the same rows. */
  memory?: number;
  /**
   * No SQL that a user wrote will run. Its settings stay open then, and another engine may have its process next.
   */
  ownSql?: boolean;
  /** As `ownSql`, and it may be given more memory. */
  canGrow?: boolean;
  /** Folders beside the engine's own whose files SQL may read and write. */
  folders?: readonly string[];
  /** Milliseconds to wait for a file that another process has open. */
  patience?: number;
  /** Ends the engine at once. */
  signal?: AbortSignal | undefined;
}

export interface EngineRead {
  columns: readonly ReadColumn[];
  /** What stands behind FROM, with a WHERE if there is one. */
  from: string;
  /** Columns whose digest is given instead of the value: SHA-256 of the salt followed by the text. */
  digests?: ReadonlyMap<string, string>;
}

/**
 * DuckDB with one connection: statements run one after the other. It sees its own folder, those it was given and
 * its database file, and nothing else of the machine or the network, so it may run SQL that a user wrote.
 */
export interface Engine {
  /** DuckDB's name of the database: that of its file. Where a schema has the same, names must begin with it. */
  readonly database: string;
  /** A private folder for files that SQL reads (read_csv, read_parquet) or writes (COPY … TO); gone after `close`. */
  readonly folder: string;
  /** Bytes of memory that it may use. */
  readonly memory: number;
  /** Gives it at least so many bytes of memory, as far as this machine has them. */
  reserve(bytes: number): Promise<void>;
  /** Runs statements that give no rows. Returns how many rows the last one changed. @throws DuckDBError */
  run(sql: string): Promise<number>;
  /** All rows of a small result, in memory. `values` are text for $1, $2, …. @throws DuckDBError */
  query<R extends Row = Row>(sql: string, values?: readonly string[]): Promise<R[]>;
  /** The columns of a SELECT, and the PostgreSQL types that carry them. Runs nothing. @throws DuckDBError */
  columns(select: string): Promise<ReadColumn[]>;
  /** Rows as COPY text. The engine is busy until the stream has ended; destroying the stream ends the engine. */
  read(read: EngineRead): RowStream;
  /** Closes the database. A statement that is under way is broken off and rolled back. */
  close(): Promise<void>;
}

const lookEvery = 50;
const mebibyte = 1024 * 1024;
const held = /Could not set lock on file/;

/** In words of what its reader can do: DuckDB's own advice is to change settings that nobody can reach. */
function tooLittleMemory(memory: number, cause: unknown): TidemarkError {
  const reason = `the rows need more than the ${Math.floor(memory / mebibyte)} MiB of memory that DuckDB may use here (at most a quarter of the machine's): leave out the columns with the longest values, or run the worker with more memory`;
  return new TidemarkError('unprocessable', { reason }, { cause });
}

/** @throws ConnectionLost when another process has the file open and keeps it open. */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'tidemark-duckdb-')));
  const engine = new ProcessEngine(folder, options.signal);
  try {
    await open(engine, options);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function open(engine: ProcessEngine, options: EngineOptions): Promise<void> {
  const { folders = [], patience = 0, signal: _, memory = usualMemory, ...others } = options;
  const { canGrow = false, ownSql = canGrow, ...database } = others;
  engine.memory = memory;
  engine.ownSql = ownSql;
  engine.canGrow = canGrow;
  const request = {
    kind: 'open',
    options: { ...database, ownSql, memory, folders: [engine.folder, ...folders] },
  } as const;
  const { file } = database;
  for (const deadline = Date.now() + patience; ; await pause(lookEvery)) {
    try {
      const answer = await engine.request(request);
      if ('database' in answer) engine.database = answer.database;
      return;
    } catch (error) {
      if (!(error instanceof DuckDBError && held.test(error.message))) throw error;
      if (Date.now() < deadline) continue;
      throw new ConnectionLost(`${path.basename(file ?? '')} is in use by another process`, { cause: error });
    }
  }
}

/** Measured with 5,000,000 rows: more memory does not make reading or loading faster. Few tables need it. */
const usualMemory = 256 * mebibyte;

/** A quarter of what this machine, or the container that we are in, has. */
function mostMemory(): number {
  return Math.max(usualMemory, Math.floor(Math.min(totalmem(), process.constrainedMemory() || Infinity) / 4));
}

class ProcessEngine implements Engine {
  database = '';
  memory = usualMemory;
  ownSql = false;
  canGrow = false;
  readonly folder: string;
  readonly #process: EngineProcess;
  readonly #unfollow: () => void;
  #pipes = 0;
  #inTransaction = false;
  /** Settled once its process is gone, or free for another engine. */
  #closed: Promise<void> | undefined;

  constructor(folder: string, signal: AbortSignal | undefined) {
    this.folder = folder;
    this.#process = takeProcess();
    // A checkpoint of the file may take long: closing is broken off, too.
    const abort = () => void (this.#closed === undefined ? this.#kill() : this.#process.kill());
    signal?.addEventListener('abort', abort, { once: true });
    this.#unfollow = () => signal?.removeEventListener('abort', abort);
    if (signal?.aborted) abort();
  }

  async request(request: Request): Promise<Answer> {
    // Its process may be another engine's by now.
    if (this.#closed !== undefined) throw new ConnectionLost('DuckDB has ended');
    return this.#process.request(request);
  }

  async reserve(bytes: number): Promise<void> {
    const memory = Math.min(bytes, mostMemory());
    if (!this.canGrow || memory <= this.memory) return;
    // Each thread holds a long value, or a page of every column, of its own.
    await this.run(`set threads = 1; set memory_limit = '${Math.floor(memory / 1024)}KiB'`);
    this.memory = memory;
  }

  /** Again with more memory where that was short. Within a transaction nothing can be done again. */
  async #growing(request: Request & { sql: string }): Promise<Answer> {
    for (;;) {
      try {
        const answer = await this.request(request);
        if (/^(begin|commit)/.test(request.sql)) this.#inTransaction = request.sql.startsWith('begin');
        return answer;
      } catch (error) {
        if (!isOutOfMemory(error)) throw error;
        const before = this.memory;
        if (!this.#inTransaction) await this.reserve(before * 4);
        if (this.memory === before) throw tooLittleMemory(this.memory, error);
      }
    }
  }

  async run(sql: string): Promise<number> {
    const answer = await this.#growing({ kind: 'run', sql });
    return 'changed' in answer ? answer.changed : 0;
  }

  async query<R extends Row = Row>(sql: string, values: readonly string[] = []): Promise<R[]> {
    const answer = await this.#growing({ kind: 'query', sql, values });
    return ('rows' in answer ? answer.rows : []) as R[];
  }

  async columns(select: string): Promise<ReadColumn[]> {
    const answer = await this.request({ kind: 'describe', sql: select });
    const columns = 'columns' in answer ? answer.columns : [];
    return columns.map(({ name, type, typeName }) => ({
      ...rendering(type),
      json: json(type),
      name,
      typeName,
    }));
  }

  read({ columns, from, digests = new Map() }: EngineRead): RowStream {
    const lines = `select ${copyLine(columns, digests)} from ${from}`;
    // One column without quotes: what it holds is written as it is.
    const form = `format csv, header false, quote '', escape '', delimiter '\t', nullstr ''`;
    return new RowPipe(
      columns,
      path.join(this.folder, `rows-${++this.#pipes}`),
      (pipe) =>
        // Not again: rows have been given.
        this.request({ kind: 'run', sql: `copy (${lines}) to ${literal(pipe)} (${form})` }).then(
          (answer) => ('changed' in answer ? answer.changed : 0),
          (error: unknown) => {
            throw isOutOfMemory(error) ? tooLittleMemory(this.memory, error) : error;
          },
        ),
      () => void this.#kill(),
    );
  }

  close(): Promise<void> {
    this.#closed ??= this.#leave(() => (this.#process.isBusy ? this.#process.kill() : this.#giveBack()));
    return this.#closed;
  }

  #kill(): Promise<void> {
    this.#closed ??= this.#leave(() => this.#process.kill());
    return this.#closed;
  }

  async #leave(how: () => Promise<void>): Promise<void> {
    await how();
    this.#unfollow();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #giveBack(): Promise<void> {
    // A user's SQL may have done anything to its process. What rows needed beyond the usual, a process never gives back.
    if (!this.ownSql || this.memory > usualMemory) return this.#process.end();
    try {
      await this.#process.request({ kind: 'close' });
      this.#unfollow();
      keepProcess(this.#process);
    } catch {
      await this.#process.kill();
    }
  }
}
