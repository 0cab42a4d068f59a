import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ConnectionLost } from '../connectors/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import type { Counts, Run } from '../executions/index.ts';
import type { BulkSync } from './bulk-sync.ts';
import { copyTable, type Ends, readableTable } from './copy-table.ts';
import { refuseNotBuilt } from './not-built.ts';
import type { Task } from './plan.ts';
import type { ProgressReport } from './progress.ts';

/** Times a table is started when a connection is lost on the way, and the milliseconds before the second. */
const tries = 3;
const firstWait = 1000;

export interface TaskContext {
  run: Run;
  sync: BulkSync;
  ends: Ends;
  progress: ProgressReport;
  /** Aborted with the run, or when another table could not go on for a reason that is not its own. */
  signal: AbortSignal;
}

/** Does one schema and records how it ended. Throws only what ends the whole run. */
export async function runTask(context: TaskContext, task: Task): Promise<void> {
  const { run, signal } = context;
  signal.throwIfAborted();
  await record(run, task, { status: 'running' });
  const started = performance.now();
  const copied = await copyWithRetries(context, task).catch((error: unknown) => {
    signal.throwIfAborted();
    return { failure: messageOf(error) };
  });
  if ('failure' in copied) {
    const { failure } = copied;
    await record(run, task, { status: 'failed', status_message: failure, error_count: 1 }, { errors: 1 });
    await run.console('error', `Failed: ${failure}`, {}, task.schemaId);
    return;
  }
  const { rows, bytes } = copied;
  await record(run, task, { status: 'completed', record_count: rows, byte_count: bytes }, { records: rows });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const message = `Completed: ${rows} records are in ${outputText(task)} after ${seconds} s`;
  await run.console('info', message, { records: rows, bytes }, task.schemaId);
}

async function copyWithRetries(context: TaskContext, task: Task): Promise<{ rows: number; bytes: number }> {
  const { run, signal } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      return await copyOnce(context, task);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ConnectionLost) || attempt === tries) throw error;
      const wait = firstWait * 4 ** (attempt - 1);
      const message = `Lost a connection (${error.message}); try ${attempt + 1} of ${tries} in ${wait / 1000} s`;
      await run.console('warn', message, {}, task.schemaId);
      await sleep(wait, undefined, { signal });
    }
  }
}

async function copyOnce(context: TaskContext, task: Task): Promise<{ rows: number; bytes: number }> {
  const { run, sync, ends, signal, progress } = context;
  const { schemaId, schema, output } = task;
  if (schema === undefined) {
    throw new TidemarkError('unprocessable', { reason: `${schemaId} is not part of this sync any more` });
  }
  refuseNotBuilt(sync, schema.settings);
  const table = await readableTable(ends.source, schemaId, sync, schema.settings);
  const { estimatedRows } = table;
  await record(run, task, { estimated_count: estimatedRows ?? null });
  const about = estimatedRows === undefined ? 'an unknown number of' : `about ${estimatedRows}`;
  const message = `Loading ${about} records with ${table.columns.length} fields into ${outputText(task)}`;
  await run.console('info', message, {}, schemaId);
  if (run.execution.options.test === true) return { rows: 0, bytes: 0 };
  return copyTable(ends, table, output, { executionId: run.execution.id, signal, progress });
}

interface SchemaExecution {
  status?: 'running' | 'completed' | 'failed';
  status_message?: string;
  estimated_count?: number | null;
  record_count?: number;
  byte_count?: number;
  error_count?: number;
}

/** Commits what is known of a schema's execution, with what it adds to the counts of the whole one. */
async function record(run: Run, task: Task, change: SchemaExecution, counts: Counts = {}): Promise<void> {
  const now = sql<string>`clock_timestamp()`;
  const { status } = change;
  await run.commit({ counts }, async (tx) => {
    await tx
      .updateTable('bulk_schema_executions')
      .set({
        ...change,
        updated_at: now,
        ...(status === 'running' ? { started_at: now, output_name: task.output.name } : {}),
        ...(status === 'completed' || status === 'failed' ? { completed_at: now } : {}),
      })
      .where('execution_id', '=', run.execution.id)
      .where('schema_id', '=', task.schemaId)
      .execute();
  });
}

const outputText = ({ output }: Task) => `${output.schema}.${output.name}`;
