import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { createLog } from '../lib/log.ts';
import { startWorker } from '../worker.ts';
import { databaseUrlOf } from './database.ts';
import type { Environment } from './index.ts';
import { untilSignal } from './until-signal.ts';

/** `tidemark worker`: by hand, or as a child of serve. */
export async function worker(args: string[], environment: Environment): Promise<number> {
  const { values } = parseArgs({ args, options: { id: { type: 'string' } } });
  const config = readConfig(environment);
  const workerId = values.id ?? crypto.randomUUID();
  const log = createLog(config.logLevel, { worker_id: workerId });
  const child = process.connected;
  // Ctrl-C reaches the whole terminal group: a child leaves it to its parent, who drains in order.
  if (child) process.on('SIGINT', () => {});
  // The parent was killed. Whoever starts next takes over; going on alone would outlive the embedded database.
  const orphaned = () => process.exit(1);
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
