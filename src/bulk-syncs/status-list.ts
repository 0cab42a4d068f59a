import type { Database } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { ExecutionStatus } from '../executions/index.ts';
import { isUuid } from '../lib/uuid.ts';
import { nextRuns } from '../schedules/index.ts';
import type { BulkSyncExecutionStatus } from '../schema/bulk-execution.ts';
import { presentSchemaStatus, presentStatus } from './execution-status.ts';
import { listBulkSyncs } from './store.ts';

export interface StatusFilter {
  all?: boolean | undefined;
  active?: boolean | undefined;
  syncIds: readonly string[];
}

/** `all` and `active` win over single ids; without any of them all are meant. @throws not_found for an id that is no bulk sync's. */
export async function listBulkSyncStatus(
  db: Database,
  organizationId: string,
  filter: StatusFilter,
): Promise<BulkSyncExecutionStatus[]> {
  const syncs = await listBulkSyncs(db, organizationId, filter.active && !filter.all ? true : undefined);
  const ids = syncs.map(({ id }) => id);
  if (filter.all || filter.active || filter.syncIds.length === 0) return statusOf(db, ids);
  for (const id of filter.syncIds)
    if (!isUuid(id) || !ids.includes(id.toLowerCase())) throw notFound('bulk sync', id);
  return statusOf(
    db,
    filter.syncIds.map((id) => id.toLowerCase()),
  );
}

async function statusOf(db: Database, syncIds: readonly string[]): Promise<BulkSyncExecutionStatus[]> {
  if (syncIds.length === 0) return [];
  const statuses = await newestStatuses(db, syncIds);
  const schemas = await newestSchemas(db, syncIds);
  const next = await nextRuns(db, syncIds);
  return syncIds.map((id) => ({
    sync_id: id,
    status: presentStatus(statuses.get(id) ?? 'created'),
    nextExecutionTime: next.get(id) ?? null,
    schemas: schemas.filter(({ sync_id }) => sync_id === id).map(({ sync_id: _sync, ...schema }) => schema),
  }));
}

async function newestStatuses(
  db: Database,
  syncIds: readonly string[],
): Promise<Map<string, ExecutionStatus>> {
  const rows = await db
    .selectFrom('executions')
    .distinctOn('sync_id')
    .select(['sync_id', 'status'])
    .where('sync_id', 'in', syncIds)
    .orderBy('sync_id')
    .orderBy('created_at', 'desc')
    .execute();
  return new Map(rows.map((row) => [row.sync_id, row.status as ExecutionStatus]));
}

/** Of every enabled schema, its newest execution. At most one execution runs, and it is the newest. */
async function newestSchemas(db: Database, syncIds: readonly string[]) {
  const rows = await db
    .selectFrom('bulk_sync_schemas as selected')
    .innerJoinLateral(
      (lateral) =>
        lateral
          .selectFrom('bulk_schema_executions as schema')
          .innerJoin('executions as execution', 'execution.id', 'schema.execution_id')
          .select([
            'schema.schema_id',
            'schema.execution_id',
            'schema.status',
            'execution.status as execution_status',
            'schema.status_message',
            'schema.record_count',
            'schema.byte_count',
            'schema.estimated_count',
            'schema.error_count',
            'schema.warning_count',
            'schema.started_at',
            'schema.completed_at',
          ])
          .whereRef('execution.sync_id', '=', 'selected.bulk_sync_id')
          .whereRef('schema.schema_id', '=', 'selected.id')
          .orderBy('execution.created_at', 'desc')
          .limit(1)
          .as('newest'),
      (join) => join.onTrue(),
    )
    .select([
      'selected.bulk_sync_id as sync_id',
      'newest.schema_id as schema',
      'newest.execution_id',
      'newest.status',
      'newest.execution_status',
      'newest.status_message',
      'newest.record_count',
      'newest.byte_count',
      'newest.estimated_count as estimated_record_count',
      'newest.error_count',
      'newest.warning_count',
      'newest.started_at',
      'newest.completed_at',
    ])
    .where('selected.bulk_sync_id', 'in', syncIds)
    .where('selected.enabled', '=', true)
    .orderBy('newest.schema_id')
    .execute();
  return rows.map(({ execution_status: execution, ...row }) => ({
    ...row,
    status: presentSchemaStatus(row.status, execution),
    status_message: row.status_message ?? '',
  }));
}
