import type { ExecutionStatus } from '../executions/index.ts';

/** `BulkExecutionStatus` on the wire has no `queued`. */
export function presentStatus(status: ExecutionStatus): string {
  return status === 'queued' ? 'scheduled' : status;
}

/** A schema that was not finished when its execution ended is not going on any more. */
export function presentSchemaStatus(status: string, execution: string): string {
  if (status !== 'created' && status !== 'running') return status;
  if (execution === 'canceled') return 'canceled';
  return execution === 'failed' || execution === 'errors' || execution === 'completed'
    ? 'interrupted'
    : status;
}
