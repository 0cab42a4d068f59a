import { type Config, readConfig } from '../config.ts';
import { createLog } from '../lib/log.ts';
import { startWorker } from '../worker.ts';
import { command } from './command.ts';
import { databaseUrlOf } from './database.ts';
import { untilSignal } from './until-signal.ts';

export const worker = command({
  name: 'worker',
  summary: 'One more worker process on the same database: runs executions, delivers webhooks.',
  details: [
    'On the machine of the server it finds the database by TIDEMARK_DATA_DIR; elsewhere set DATABASE_URL,',
    'TIDEMARK_ENCRYPTION_KEY and TIDEMARK_RECORD_LOGS as for the server.',
  ],
  options: { id: { takes: 'uuid', text: 'Its id, for the server that started it.', internal: true } },
  run: ({ options }, environment) => runWorker(readConfig(environment), options.id ?? crypto.randomUUID()),
});

async function runWorker(config: Config, workerId: string): Promise<number> {
  const log = createLog(config.logLevel, { worker_id: workerId });
  const child = process.connected;
  // Ctrl-C reaches the whole terminal group: a child leaves it to its parent, who drains in order.
  if (child) process.on('SIGINT', () => {});
  // The parent was killed. Whoever starts next takes over; going on alone would outlive the embedded database.
  const orphaned = () => {
    // With the processes of its executions: the group is this worker's own.
    if (process.platform !== 'win32') process.kill(-process.pid, 'SIGKILL');
    process.exit(1);
  };
  process.on('disconnect', orphaned);
  const signaled = untilSignal(child ? ['SIGTERM'] : ['SIGINT', 'SIGTERM']);
  const running = await startWorker(config, await databaseUrlOf(config), log, workerId);
  if (!child) console.log(`Tidemark worker ${workerId} is ready`);
  await signaled;
  await running.stop();
  process.off('disconnect', orphaned);
  if (child) process.disconnect();
  return 0;
}
