import { type OpenDependencies, openConnection } from '../connections/index.ts';
import type { Run } from '../executions/index.ts';
import type { BulkSync } from './bulk-sync.ts';
import { prepareTable } from './prepare-table.ts';
import { planTasks } from './tasks.ts';

/**
 * Removes what a canceled execution has stored of tables that it had not finished: nobody goes on with them. Where it
 * cannot (the destination is away), the next load of the table removes it.
 */
export async function discardLeftovers(
  deps: OpenDependencies,
  run: Run,
  sync: BulkSync,
  preparation: { rangeRows: number; salt: string },
): Promise<void> {
  const tasks = (await planTasks(deps.db, sync, run.execution.id)).filter(({ plan }) => plan !== null);
  if (tasks.length === 0) return;
  const { organizationId } = run.execution;
  // Sessions of their own: those of the run broke off with it.
  const source = await openConnection(deps, organizationId, sync.sourceConnectionId);
  const destination = await openConnection(deps, organizationId, sync.destinationConnectionId);
  try {
    const { bulkSource } = source.session;
    const { bulkDestination } = destination.session;
    if (bulkSource === undefined || bulkDestination === undefined) return;
    const ends = { source: bulkSource, destination: bulkDestination };
    for (const task of tasks) {
      const { output, plan } = await prepareTable({ db: deps.db, run, sync, ends, ...preparation }, task);
      const load = await bulkDestination.load(output, plan);
      await load.discard();
    }
  } finally {
    await source.session.close();
    await destination.session.close();
  }
}
