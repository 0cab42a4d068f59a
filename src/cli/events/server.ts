import { type Config, ConfigError, readConfig } from '../../config.ts';
import { openDataDirectory, readApiKey, readRunningServer } from '../../host/index.ts';
import type { ServerAccess } from '../client.ts';
import type { Environment } from '../command.ts';

/**
 * The server on this data directory, unless another is named; its key is TIDEMARK_API_KEY or the one the first
 * start wrote. A key on the command line would show in the list of processes, so there is no option for it.
 */
export async function serverOf(environment: Environment, url: string | undefined): Promise<ServerAccess> {
  const config = readConfig(environment);
  const directory = await openDataDirectory(config.dataDir);
  const apiKey = config.apiKey ?? (await readApiKey(directory));
  if (apiKey === undefined) {
    throw new ConfigError(
      'TIDEMARK_API_KEY: set it to an API key of the server, or name its TIDEMARK_DATA_DIR',
    );
  }
  const found = url ?? (await readRunningServer(directory))?.url ?? addressOf(config);
  if (!/^https?:\/\//.test(found)) throw new ConfigError(`--url ${found}: takes an http:// or https:// URL`);
  return { url: found.replace(/\/+$/, ''), apiKey };
}

function addressOf({ publicUrl, host, port }: Config): string {
  return publicUrl ?? `http://${host}:${port}`;
}
