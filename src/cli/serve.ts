import { type Config, readConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import { createLog } from '../lib/log.ts';
import { type Server, startServer } from '../server.ts';
import type { Environment } from './index.ts';
import { limitStop, untilSignal } from './until-signal.ts';

/** `tidemark serve`: runs until SIGINT or SIGTERM, then drains. */
export async function serve(_args: string[], environment: Environment): Promise<number> {
  const config = readConfig(environment);
  const log = createLog(config.logLevel);
  const signaled = untilSignal();
  const server = await startServer(config, log);
  console.log(banner(config, server));
  try {
    await Promise.race([signaled, server.databaseLost]);
    return 0;
  } catch (error) {
    console.error(`tidemark serve: ${messageOf(error)}\nStopping; start again to recover.`);
    limitStop();
    return 1;
  } finally {
    await server.stop();
  }
}

function banner(config: Config, { url, apiKey, directory }: Server): string {
  const key =
    config.apiKey !== undefined
      ? 'as set in TIDEMARK_API_KEY'
      : apiKey === undefined
        ? `in ${directory.apiKeyFile}`
        : `${apiKey} (shown once; kept in ${directory.apiKeyFile})`;
  return `Tidemark is ready at ${url}\nAPI key: ${key}\nData directory: ${directory.folder}`;
}
