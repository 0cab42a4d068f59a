import { constants } from 'node:fs';
import { access, lstat, mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, TidemarkError } from '../../errors.ts';
import { DuckDBError, type Engine, type EngineOptions, openEngine } from '../duckdb-engine/index.ts';

/** Milliseconds to wait while somebody else has the file open. Who looks at it does so while a person waits. */
const patience = { look: 10_000, read: 60_000, write: 600_000 };

export type OpenOptions = Pick<EngineOptions, 'memory' | 'ownSql' | 'canGrow' | 'signal'>;

/**
 * One database file of an organization.
 *
 * DuckDB lets one process write a file, or several read it. So it is opened for single operations, never for the
 * life of a session: to read it, and to commit what was staged in a file of its own. Who comes in between waits.
 */
export interface Database {
  /** Its path, and whether it is there. @throws unprocessable when it may not be used. */
  locate(): Promise<{ file: string; exists: boolean }>;
  /** Opens it to be read; undefined while there is no file. Who asked closes it. */
  reader(how: 'look' | 'read', options?: OpenOptions): Promise<Engine | undefined>;
  /** Opens it to be written, and makes it. Who asked closes it. @param options.folders more that SQL may read. */
  writer(options?: OpenOptions & { folders?: readonly string[] }): Promise<Engine>;
  signal: AbortSignal;
}

/** @param folder of the organization; undefined where the operator has not enabled any. */
export function database(folder: string | undefined, name: string, signal: AbortSignal): Database {
  const locate = async () => {
    if (folder === undefined) {
      throw refused(
        'DuckDB files are not enabled here: set TIDEMARK_DUCKDB_DIR to a folder, for the server and all workers',
      );
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = path.join(await realpath(folder), name);
    const found = await lstat(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    // A link might lead out of the folder.
    if (found !== undefined && !found.isFile()) throw refused(`database: ${name} is not a plain file`);
    return { file, exists: found !== undefined };
  };
  const open = async (options: Parameters<typeof openEngine>[0] & { file: string }) => {
    try {
      return await openEngine({ signal, ...options });
    } catch (error) {
      if (!(error instanceof DuckDBError)) throw error;
      // Where the server keeps its files is nothing for tenants.
      throw refused(messageOf(error).replaceAll(options.file, name), error);
    }
  };
  const until = (options: OpenOptions) =>
    options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]);
  return {
    signal,
    locate,
    async reader(how, options = {}) {
      const { file, exists } = await locate();
      if (!exists) return undefined;
      return open({ ...options, file, readOnly: true, patience: patience[how], signal: until(options) });
    },
    async writer(options = {}) {
      const { file } = await locate();
      return open({
        canGrow: true,
        ...options,
        file,
        patience: patience.write,
        signal: until(options),
      });
    },
  };
}

/** @throws when the file cannot be read, or could not be made. Changes nothing. */
export async function tryDatabase(database: Database): Promise<void> {
  const engine = await database.reader('look', { ownSql: true });
  if (engine !== undefined) {
    await engine.close();
    return;
  }
  const { file } = await database.locate();
  await access(path.dirname(file), constants.W_OK).catch((cause: unknown) => {
    throw refused('The folder of the organization cannot be written to', cause);
  });
}

/** Opens the file to be looked at, uses it, and closes it whatever happens. `missing` is the answer without a file. */
export async function withReader<Result>(
  database: Database,
  missing: () => Result,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const engine = await database.reader('look', { ownSql: true });
  if (engine === undefined) return missing();
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

function refused(reason: string, cause?: unknown): TidemarkError {
  return new TidemarkError('unprocessable', { reason }, { cause });
}
