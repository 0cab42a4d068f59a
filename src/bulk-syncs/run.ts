import { type OpenDependencies, openConnection } from '../connections/index.ts';
import type { Session } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Outcome, Run, Runner } from '../executions/index.ts';
import { eachLimited } from '../lib/each-limited.ts';
import type { BulkSync } from './bulk-sync.ts';
import type { Ends } from './copy-table.ts';
import { planTasks } from './plan.ts';
import { reportProgress } from './progress.ts';
import { runTask } from './run-task.ts';
import { getBulkSync } from './store.ts';

/** Tables at a time, unless the sync says otherwise: one reads while another builds its key. */
const defaultConcurrency = 2;

/** Runs bulk syncs: table by table, each on its own, so that one that fails stops no other. */
export function bulkSyncRunner(deps: OpenDependencies): Runner {
  return async (run) => {
    const { id, organizationId, syncId } = run.execution;
    const sync = await getBulkSync(deps.db, organizationId, syncId);
    // Both sessions break off with the run, whatever they are waiting for.
    const source = await openConnection(deps, organizationId, sync.sourceConnectionId, run.signal);
    try {
      const { destinationConnectionId } = sync;
      const destination = await openConnection(deps, organizationId, destinationConnectionId, run.signal);
      try {
        if (run.execution.options.test === true) await destination.session.test();
        await runTasks(deps.db, run, sync, endsOf(source.session, destination.session));
      } finally {
        await destination.session.close();
      }
    } finally {
      await source.session.close();
    }
    return outcomeOf(deps.db, id);
  };
}

async function runTasks(db: Database, run: Run, sync: BulkSync, ends: Ends): Promise<void> {
  const tasks = await planTasks(db, sync, run.execution.id);
  await run.console('info', `Schemas to do: ${tasks.length}`);
  // Whatever makes one table throw (the claim is lost, our own database is away) ends the others, too.
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  using progress = reportProgress(run);
  await eachLimited(tasks, concurrencyOf(run, sync), async (task) => {
    try {
      await runTask({ run, sync, ends, progress, signal }, task);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
}

function concurrencyOf(run: Run, sync: BulkSync): number {
  const resync = run.execution.options.resync_mode !== undefined;
  return (resync ? sync.resyncConcurrencyLimit : null) ?? sync.concurrencyLimit ?? defaultConcurrency;
}

/** Connections were checked when the sync was saved; their connector may have changed since. */
function endsOf({ bulkSource: source }: Session, { bulkDestination: destination }: Session): Ends {
  if (source !== undefined && destination !== undefined) return { source, destination };
  throw new TidemarkError('unprocessable', {
    reason: `The ${source === undefined ? 'source' : 'destination'} connection cannot take part in a bulk sync`,
  });
}

async function outcomeOf(db: Database, executionId: string): Promise<Outcome> {
  const rows = await db
    .selectFrom('bulk_schema_executions')
    .select(['schema_id', 'status', 'status_message'])
    .where('execution_id', '=', executionId)
    .orderBy('schema_id')
    .execute();
  const failed = rows.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return { status: 'completed' };
  return {
    status: failed.length === rows.length ? 'failed' : 'errors',
    errors: failed.map(({ schema_id, status_message }) => `${schema_id}: ${status_message}`),
  };
}
