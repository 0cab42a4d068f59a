import { type Config, ConfigError, readConfig } from '../../config.ts';
import { openDataDirectory, readApiKey, readRunningServer } from '../../host/index.ts';
import type { Environment } from '../index.ts';

/** A server and the right to use it. */
export interface Server {
  url: string;
  apiKey: string;
}

/**
 * The server on this data directory, unless another is named; its key is TIDEMARK_API_KEY or the one the first
 * start wrote. A key on the command line would show in the list of processes, so there is no option for it.
 */
export async function serverOf(environment: Environment, url: string | undefined): Promise<Server> {
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

/** @throws ConfigError with the server's own words when it refuses. */
export async function callServer<Data>(
  { url, apiKey }: Server,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Data> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new ConfigError(`${url} does not answer: is the server running?`, { cause });
  });
  const answer = (await response.json()) as { data: Data; message?: string };
  if (!response.ok) throw new ConfigError(answer.message ?? `${url} answered ${response.status}`);
  return answer.data;
}
