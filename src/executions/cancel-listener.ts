import { type Database, listen } from '../db/index.ts';
import { cancelChannel } from './queue.ts';

/** A notification can be lost with its connection, so running executions are also looked up this often (ms). */
const interval = 1000;

/**
 * Tells a worker which of its executions are to be canceled: by NOTIFY at once, and by a look every second
 * at the few that it runs, which also covers a connection that was lost in between. One that is not there any more was
 * deleted with its sync or its organization: its process would only notice at its next commit.
 */
export async function listenForCancels(
  deps: { db: Database; databaseUrl: string },
  executions: { active(): string[]; cancel(executionId: string): void; deleted(executionId: string): void },
): Promise<{ stop(): Promise<void> }> {
  const look = async () => {
    const ids = executions.active();
    if (ids.length === 0) return;
    const rows = await deps.db
      .selectFrom('executions')
      .select(['id', 'status'])
      .where('id', 'in', ids)
      .execute();
    const statuses = new Map(rows.map(({ id, status }) => [id, status]));
    for (const id of ids) {
      if (statuses.get(id) === 'canceling') executions.cancel(id);
      if (!statuses.has(id)) executions.deleted(id);
    }
  };

  const listener = await listen(deps.databaseUrl, { [cancelChannel]: executions.cancel });
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    // A database that is away now is asked again in a second.
    looking = looking.then(look).catch(() => {});
  }, interval);

  return {
    async stop() {
      clearInterval(timer);
      await looking;
      await listener.stop();
    },
  };
}
