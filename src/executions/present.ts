import type { ModelExecution } from '../schema/execution.ts';
import type { Execution } from './contract.ts';

/** An execution of a model sync. Counts that were never counted are 0. */
export function presentModelExecution(execution: Execution): ModelExecution {
  const { total = 0, insert = 0, update = 0, upserts = 0, error = 0, warnings = 0 } = execution.counts;
  return {
    id: execution.id,
    type: execution.trigger,
    status: execution.status,
    counts: { total, insert, update, upserts, delete: execution.counts.delete ?? 0, error, warnings },
    errors: execution.errors,
    ...(execution.statusMessage === null ? {} : { status_message: execution.statusMessage }),
    created_at: execution.createdAt,
    started_at: execution.startedAt,
    completed_at: execution.completedAt,
  };
}
