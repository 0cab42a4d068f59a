import pg from 'pg';
import type { Database } from '../db/index.ts';
import { cancelChannel } from './queue.ts';

/** A notification can be lost with its connection, so running executions are also looked up this often (ms). */
const interval = 1000;

/**
 * Tells a worker which of its executions are to be canceled: by NOTIFY at once, and by a look every second
 * at the few that it runs, which also covers a connection that was lost in between.
 */
export async function listenForCancels(
  deps: { db: Database; databaseUrl: string },
  executions: { active(): string[]; cancel(executionId: string): void },
): Promise<{ stop(): Promise<void> }> {
  let client: pg.Client | undefined;
  let stopped = false;

  const connect = async () => {
    const fresh = new pg.Client({ connectionString: deps.databaseUrl, application_name: 'tidemark cancels' });
    fresh.on('error', () => {});
    fresh.on('end', () => {
      if (client === fresh) client = undefined;
    });
    fresh.on('notification', ({ payload }) => executions.cancel(payload ?? ''));
    await fresh.connect();
    await fresh.query(`listen ${cancelChannel}`);
    client = fresh;
  };

  const look = async () => {
    if (client === undefined) await connect();
    const ids = executions.active();
    if (ids.length === 0) return;
    const rows = await deps.db
      .selectFrom('executions')
      .select('id')
      .where('id', 'in', ids)
      .where('status', '=', 'canceling')
      .execute();
    for (const { id } of rows) executions.cancel(id);
  };

  await connect();
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    // A database that is away now is asked again in a second.
    looking = looking.then(() => (stopped ? undefined : look())).catch(() => {});
  }, interval);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await looking;
      await client?.end();
    },
  };
}
