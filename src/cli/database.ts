import { type Config, ConfigError } from '../config.ts';
import { openDataDirectory, readSecret } from '../host/index.ts';

/** The database of a configuration: its DATABASE_URL, or that of the server running in its data directory. */
export async function databaseUrlOf(config: Config): Promise<string> {
  const directory = await openDataDirectory(config.dataDir);
  const url = config.databaseUrl ?? (await readSecret(directory.databaseUrlFile));
  if (url !== undefined) return url;
  throw new ConfigError(
    `DATABASE_URL: not set, and no server has run in ${directory.folder}. It takes a postgresql:// URL.`,
  );
}
