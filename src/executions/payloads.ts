import type { EventType } from '../events/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Execution, ExecutionStatus, Failure, RecordLogType } from './contract.ts';

/** Links to the record logs of a finished model execution; null where there are none. */
export type RecordLogLinks = Record<RecordLogType, string[] | null>;

/** The event that announces an execution's new status, or undefined for a status that is not announced. */
export function eventTypeOf(execution: Execution, status: ExecutionStatus): EventType | undefined {
  const bulk = execution.kind === 'bulk';
  switch (status) {
    case 'running':
      return bulk ? 'bulk_sync.running' : 'sync.running';
    case 'failed':
      return bulk ? 'bulk_sync.failed' : 'sync.failed';
    case 'canceled':
      return bulk ? 'bulk_sync.canceled' : 'sync.canceled';
    case 'errors':
      return 'bulk_sync.completed_with_error';
    case 'completed':
      if (bulk) return 'bulk_sync.completed';
      return (execution.counts.error ?? 0) > 0 ? 'sync.completed_with_errors' : 'sync.completed';
    case 'created':
    case 'queued':
    case 'canceling':
      return undefined;
  }
}

/**
 * The payload, with the members and order of Polytomic's events. `name` is what their guide shows, `sync_name`
 * what their SDKs read: both are sent.
 */
export function eventPayload(
  type: EventType,
  execution: Execution,
  links: RecordLogLinks,
  failures: readonly Failure[] = [],
): JsonObject {
  const { subject, counts, errors } = execution;
  const name = { name: subject.sync_name, sync_name: subject.sync_name };
  const organization = { organization_id: execution.organizationId };
  const sync = { sync_id: execution.syncId };
  const run = { execution_id: execution.id };
  const { sync_name: _, ...connections } = subject;
  const error = errors.join('\n');
  const bulkCounts = {
    record_count: counts.records ?? 0,
    error_count: counts.errors ?? 0,
    warning_count: counts.warnings ?? 0,
  };
  const failed = { error, failed_schemas: failures.map(({ schema, error }) => ({ schema, error })) };
  switch (type) {
    case 'sync.running':
      return { ...name, ...organization, ...run, ...sync, ...connections };
    case 'sync.canceled':
      return { ...name, ...organization, ...sync, ...run, status: 'canceled', ...connections };
    case 'sync.failed':
      return { ...name, ...organization, ...sync, ...run, error, ...connections };
    case 'sync.completed_with_errors':
      return {
        ...name,
        ...organization,
        ...sync,
        ...run,
        error: error || `${counts.error ?? 0} records were refused`,
        number_of_errors: counts.error ?? 0,
        number_of_warnings: counts.warnings ?? 0,
        ...connections,
      };
    case 'sync.completed':
      return {
        ...name,
        ...organization,
        ...sync,
        ...run,
        status: 'completed',
        total_records: links.records,
        inserted_records: links.inserts,
        updated_records: links.updates,
        deleted_records: links.deletes,
        errored_records: links.errors,
        warnings: links.warnings,
        record_count: counts.total ?? 0,
        inserted_count: counts.insert ?? 0,
        updated_count: counts.update ?? 0,
        upserted_count: counts.upserts ?? 0,
        error_count: counts.error ?? 0,
        warning_count: counts.warnings ?? 0,
        trigger: execution.trigger,
        ...connections,
      };
    case 'bulk_sync.running':
    case 'bulk_sync.canceled':
      return { ...name, ...organization, ...sync, ...run, ...connections };
    case 'bulk_sync.completed':
      return {
        ...name,
        ...organization,
        ...sync,
        ...run,
        ...bulkCounts,
        trigger_source: execution.trigger,
        ...connections,
      };
    case 'bulk_sync.completed_with_error':
    case 'bulk_sync.failed':
      return {
        ...name,
        ...organization,
        ...sync,
        ...run,
        ...failed,
        ...bulkCounts,
        trigger_source: execution.trigger,
        ...connections,
      };
  }
}
