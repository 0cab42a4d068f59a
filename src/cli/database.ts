import { type Config, ConfigError } from '../config.ts';
import { messageOf } from '../errors.ts';
import { openDataDirectory, readRunningServer } from '../host/index.ts';

/** The database of a configuration: its DATABASE_URL, or that of the server running in its data directory. */
export async function databaseUrlOf(config: Config): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl;
  const directory = await openDataDirectory(config.dataDir);
  const server = await readRunningServer(directory);
  if (server?.databaseUrl !== undefined) return server.databaseUrl;
  throw new ConfigError(
    `DATABASE_URL: not set, and no server with an embedded PostgreSQL runs on ${directory.folder}. ` +
      'Start one with "npm start", set DATABASE_URL, or name its folder with TIDEMARK_DATA_DIR.',
  );
}

/** Says which database it was when that refuses or does not answer. */
export async function namingDatabase<Result>(config: Config, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause || cause instanceof AggregateError)) throw cause;
    const name = config.databaseUrl === undefined ? `the PostgreSQL of ${config.dataDir}` : 'DATABASE_URL';
    throw new ConfigError(`${name}: ${messageOf(cause)}`, { cause });
  }
}
