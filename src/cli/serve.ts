import { readConfig } from '../config.ts';
import { createLog } from '../lib/log.ts';
import { startServer } from '../server.ts';
import type { Environment } from './index.ts';
import { untilSignal } from './until-signal.ts';

/** `tidemark serve`: runs until SIGINT or SIGTERM, then drains. */
export async function serve(_args: string[], environment: Environment): Promise<number> {
  const config = readConfig(environment);
  const log = createLog(config.logLevel);
  const signaled = untilSignal();
  const server = await startServer(config, log);

  console.log(`Tidemark is ready at ${server.url}`);
  if (server.apiKey === undefined) console.log(`API key: in ${server.directory.apiKeyFile}`);
  else console.log(`API key: ${server.apiKey} (kept in ${server.directory.apiKeyFile})`);

  const databaseGone = server.databaseGone.then(() => 'database' as const);
  const reason = await Promise.race([signaled.then(() => 'signal' as const), databaseGone]);
  if (reason === 'database') {
    console.error('The embedded PostgreSQL has ended. Stopping; start again to recover.');
  }
  await server.stop();
  return reason === 'signal' ? 0 : 1;
}
