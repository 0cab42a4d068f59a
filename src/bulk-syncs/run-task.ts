import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLost } from '../connectors/index.ts';
import { messageOf } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import type { BulkSync } from './bulk-sync.ts';
import { type Copied, copyTable, type Ends } from './copy-table.ts';
import { type Preparation, type Prepared, prepareTable } from './prepare-table.ts';
import type { ProgressReport } from './progress.ts';
import { recordSchema } from './record-schema.ts';
import { saveColumnNames } from './selected-schemas.ts';
import type { Task } from './tasks.ts';
import { logWarnings } from './warnings.ts';

/**
 * Times in a row that a table is begun without getting any further when connections are lost, and the milliseconds
 * before the second, doubled each time: a database that restarts is back within them.
 */
const tries = 7;
const firstWait = 1000;
/** What a source may ask for at most before the next try. */
const longestPause = 600_000;

export interface TaskContext extends Preparation {
  run: Run;
  sync: BulkSync;
  ends: Ends;
  progress: ProgressReport;
  /** Ranges of one table that are on their way at a time. */
  streams: number;
  /** Aborted with the run, or when another table could not go on for a reason that is not its own. */
  signal: AbortSignal;
}

/** Why a table ended that its user did not want any more. */
class SchemaCanceled extends Error {
  override name = 'SchemaCanceled';
  override message = 'Canceled';
}

/** Does one schema and records how it ended. Throws only what ends the whole run. */
export async function runTask(context: TaskContext, task: Task): Promise<void> {
  const { run, signal } = context;
  signal.throwIfAborted();
  const { name } = task.output;
  if (!(await recordSchema(run, task.schemaId, { status: 'running', output_name: name }))) return;
  const started = performance.now();
  try {
    const copied = await copyWithRetries(context, task);
    const { rows, bytes, warnings } = copied;
    const counted = warnings.reduce((total, { count }) => total + count, 0);
    await logWarnings(run, task, warnings);
    const { changes: _, rows: __, ...changed } = copied.committed;
    run.recordLog(
      'records',
      JSON.stringify({ schema: task.schemaId, output: name, records: rows, bytes, ...changed }),
    );
    await recordSchema(
      run,
      task.schemaId,
      { status: 'completed', record_count: rows, byte_count: bytes, warning_count: counted },
      { records: rows, ...(counted === 0 ? {} : { warnings: counted }) },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const message = `Completed: ${summary(copied, task)} after ${seconds} s`;
    await run.console(
      'info',
      message,
      { records: rows, bytes, ...changed, changes: copied.committed.changes },
      task.schemaId,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SchemaCanceled) {
      await recordSchema(run, task.schemaId, { status: 'canceled' });
      await run.console('info', 'Canceled', {}, task.schemaId);
      return;
    }
    const failure = messageOf(error);
    run.recordLog('errors', JSON.stringify({ schema: task.schemaId, error: failure }));
    await recordSchema(
      run,
      task.schemaId,
      { status: 'failed', status_message: failure, error_count: 1 },
      { errors: 1 },
    );
    await run.console('error', `Failed: ${failure}`, {}, task.schemaId);
  }
}

async function copyWithRetries(context: TaskContext, task: Task): Promise<Copied> {
  const { run, signal, ends } = context;
  const canceled = new AbortController();
  const either = AbortSignal.any([signal, canceled.signal]);
  let stored = 0;
  for (let attempt = 1; ; attempt++) {
    using progress = context.progress.table(task.schemaId, () => canceled.abort(new SchemaCanceled()));
    try {
      const prepared = await prepareTable(context, task);
      if (run.execution.options.test === true) return nothing;
      await announce(run, task, prepared);
      const copied = await copyTable(ends, prepared, { signal: either, progress, streams: context.streams });
      if (prepared.plan.mode === 'replace' && !prepared.plan.truncate)
        await forgetNames(context, task, prepared);
      return copied;
    } catch (error) {
      either.throwIfAborted();
      if (progress.stored > stored) {
        stored = progress.stored;
        attempt = 1;
      }
      if (!(error instanceof ConnectionLost) || attempt === tries) throw error;
      const wait = Math.max(firstWait * 2 ** (attempt - 1), Math.min(error.pause, longestPause));
      const message = `Lost a connection (${error.message}); try ${attempt + 1} of ${tries} in ${wait / 1000} s`;
      await run.console('warn', message, {}, task.schemaId);
      await sleep(wait, undefined, { signal: either });
    }
  }
}

/** A table that was recreated holds no values of columns that are gone: their names are free. */
async function forgetNames({ run, sync }: TaskContext, { schema }: Task, { names }: Prepared): Promise<void> {
  if (schema === undefined || schema.columnNames.length <= names.length) return;
  await run.commit({}, (tx) => saveColumnNames(tx, sync.id, schema.id, names));
}

const nothing: Copied = { rows: 0, bytes: 0, warnings: [], committed: { rows: 0, changes: [] } };

async function announce(run: Run, task: Task, { table, ranges, read, why }: Prepared): Promise<void> {
  const { estimatedRows: estimate, columns } = table;
  const what =
    read.tracking === undefined
      ? `${estimate === undefined ? 'an unknown number of' : `about ${estimate}`} records`
      : `records whose ${read.tracking.field} is at or above ${read.tracking.from}`;
  const parts = ranges.length === 0 ? '' : ` in ${ranges.length} ranges`;
  const reason = why === undefined ? '' : `; every record is read because ${why}`;
  const message = `Loading ${what} with ${columns.length} fields into ${outputText(task)}${parts}${reason}`;
  await run.console('info', message, {}, task.schemaId);
}

function summary({ rows, committed }: Copied, task: Task): string {
  const { inserted, updated, deleted, changes } = committed;
  const counts = Object.entries({ inserted, updated, deleted })
    .filter(([, count]) => count !== undefined)
    .map(([what, count]) => `${count} ${what}`);
  const read = `${rows} records are in ${outputText(task)}`;
  return [
    counts.length === 0 ? read : `${rows} records read into ${outputText(task)} (${counts.join(', ')})`,
    ...changes,
  ].join('; ');
}

const outputText = ({ output }: Task) => `${output.schema}.${output.name}`;
