import { type Config, ConfigError } from '../config.ts';
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
