import { type OpenDependencies, openConnection } from '../connections/index.ts';
import type { Session } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import { isCanceled, type Outcome, type Run, type Runner } from '../executions/index.ts';
import { eachLimited } from '../lib/each-limited.ts';
import { obfuscationSalt } from '../organizations/index.ts';
import type { BulkSync } from './bulk-sync.ts';
import type { Ends } from './copy-table.ts';
import { discardLeftovers } from './discard-leftovers.ts';
import { discoverObjects } from './discover.ts';
import { reportProgress } from './progress.ts';
import { runTask } from './run-task.ts';
import { getBulkSync } from './store.ts';
import { planTasks } from './tasks.ts';

/** Tables at a time, unless the sync says otherwise: one reads while another builds its key. */
const defaultConcurrency = 2;

export interface BulkRunSettings {
  /** Rows of one range of a table: what a run that takes over may have to read again. */
  rangeRows: number;
  /** Ranges of one table that are read at a time. */
  streams: number;
}

/** Runs bulk syncs: table by table, each on its own, so that one that fails stops no other. */
export function bulkSyncRunner(deps: OpenDependencies, settings: BulkRunSettings): Runner {
  return async (run) => {
    const { id, organizationId, syncId } = run.execution;
    const sync = startedAs(run, await getBulkSync(deps.db, organizationId, syncId));
    const isTest = run.execution.options.test === true;
    const undiscovered = isTest ? undefined : await discoverObjects(deps, run, sync);
    const salt = await obfuscationSalt(deps, organizationId);
    // Both sessions break off with the run, whatever they are waiting for.
    const source = await openConnection(deps, organizationId, sync.sourceConnectionId, run.signal);
    try {
      const { destinationConnectionId } = sync;
      const destination = await openConnection(deps, organizationId, destinationConnectionId, run.signal);
      try {
        if (isTest) await destination.session.test();
        const ends = endsOf(source.session, destination.session);
        await runTasks({ db: deps.db, run, sync, ends, salt, ...settings });
      } finally {
        await destination.session.close();
      }
    } catch (error) {
      if (isCanceled(run))
        await discardLeftovers(deps, run, sync, { ...settings, salt }).catch((cause: unknown) =>
          run.console('warn', `What was loaded in part is still in the destination: ${messageOf(cause)}`),
        );
      throw error;
    } finally {
      await source.session.close();
    }
    return outcomeOf(deps.db, id, undiscovered);
  };
}

/** Connections are those of the start: pointing the sync elsewhere changes its next execution. */
function startedAs(run: Run, sync: BulkSync): BulkSync {
  const { subject } = run.execution;
  if (!('source_connection_id' in subject)) return sync;
  const { source_connection_id: sourceConnectionId, destination_connection_id: destinationConnectionId } =
    subject;
  return { ...sync, sourceConnectionId, destinationConnectionId };
}

interface Work extends BulkRunSettings {
  db: Database;
  run: Run;
  sync: BulkSync;
  ends: Ends;
  salt: string;
}

async function runTasks(work: Work): Promise<void> {
  const { db, run, sync } = work;
  const tasks = await planTasks(db, sync, run.execution.id);
  await run.console('info', `Schemas to do: ${tasks.length}`);
  // Whatever makes one table throw (the claim is lost, our own database is away) ends the others, too.
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  using progress = reportProgress(run);
  await eachLimited(tasks, concurrencyOf(run, sync), async (task) => {
    try {
      await runTask({ ...work, progress, signal }, task);
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

/** @param undiscovered what could not be looked through for new objects. */
async function outcomeOf(
  db: Database,
  executionId: string,
  undiscovered: string | undefined,
): Promise<Outcome> {
  const rows = await db
    .selectFrom('bulk_schema_executions')
    .select(['schema_id', 'status', 'status_message'])
    .where('execution_id', '=', executionId)
    .orderBy('schema_id')
    .execute();
  const failed = rows.filter(({ status }) => status === 'failed');
  const errors = failed.map(({ schema_id, status_message }) => `${schema_id}: ${status_message}`);
  if (undiscovered !== undefined) errors.push(undiscovered);
  if (errors.length === 0) return { status: 'completed' };
  return {
    status: failed.length > 0 && failed.length === rows.length ? 'failed' : 'errors',
    errors,
    failures: failed.map(({ schema_id, status_message }) => ({
      schema: schema_id,
      error: status_message ?? 'failed',
    })),
  };
}
