import { type Config, readConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import { createLog } from '../lib/log.ts';
import { type Server, startServer } from '../server.ts';
import { command } from './command.ts';
import { limitStop, untilSignal } from './until-signal.ts';

export const serve = command({
  name: 'serve',
  summary: 'The server: HTTP API and workers, with an embedded PostgreSQL unless DATABASE_URL is set.',
  details: ['Runs until SIGINT or SIGTERM, then drains. A second signal ends it at once.'],
  run: (_given, environment) => runServer(readConfig(environment)),
});

async function runServer(config: Config): Promise<number> {
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
  const none = 'none (TIDEMARK_WORKERS=0): executions wait until "tidemark worker" runs on this database';
  const workers = config.workers === 0 ? `\nWorkers: ${none}` : '';
  return `Tidemark is ready at ${url}\nAPI key: ${key}\nData directory: ${directory.folder}${workers}`;
}
