import type { Database } from '../db/index.ts';
import { type Execution, getExecution, listExecutions, syncStatus } from '../executions/index.ts';
import { nextRuns } from '../schedules/index.ts';
import type { BulkExecution, BulkSchemaExecution, BulkSyncStatus } from '../schema/bulk-execution.ts';
import { presentSchemaStatus, presentStatus } from './execution-status.ts';
import { getBulkSync } from './store.ts';

export async function getBulkExecution(
  db: Database,
  organizationId: string,
  syncId: string,
  id: string,
): Promise<BulkExecution> {
  return presentBulkExecution(db, await getExecution(db, organizationId, syncId, id));
}

export interface BulkExecutionPage {
  pageToken?: string | undefined;
  limit: number;
  ascending?: boolean | undefined;
  onlyTerminal?: boolean | undefined;
}

export async function listBulkExecutions(
  db: Database,
  organizationId: string,
  syncId: string,
  page: BulkExecutionPage,
): Promise<{ executions: BulkExecution[]; nextPageToken?: string | undefined }> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const found = await listExecutions(db, { organizationId, syncId: sync.id, ...page });
  return {
    executions: await presentAll(db, found.executions),
    nextPageToken: found.nextPageToken,
  };
}

export async function bulkSyncStatus(
  db: Database,
  organizationId: string,
  syncId: string,
): Promise<BulkSyncStatus> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const { current, last } = await syncStatus(db, sync.id);
  const next = await nextRuns(db, [sync.id]);
  return {
    ...(current === undefined ? {} : { current_execution: await presentBulkExecution(db, current) }),
    ...(last === undefined ? {} : { last_execution: await presentBulkExecution(db, last) }),
    next_execution_time: next.get(sync.id) ?? null,
  };
}

/** For an execution that the caller has already been found to own. */
export async function presentBulkExecution(db: Database, execution: Execution): Promise<BulkExecution> {
  const schemas = await schemaExecutions(db, [execution]);
  return present(execution, schemas.get(execution.id) ?? []);
}

async function presentAll(db: Database, executions: readonly Execution[]): Promise<BulkExecution[]> {
  const schemas = await schemaExecutions(db, executions);
  return executions.map((execution) => present(execution, schemas.get(execution.id) ?? []));
}

async function schemaExecutions(
  db: Database,
  executions: readonly Execution[],
): Promise<Map<string, BulkSchemaExecution[]>> {
  if (executions.length === 0) return new Map();
  const byId = new Map(executions.map((execution) => [execution.id, execution]));
  const rows = await db
    .selectFrom('bulk_schema_executions')
    .select([
      'execution_id',
      'schema_id as schema',
      'output_name',
      'status',
      'status_message',
      'record_count',
      'byte_count',
      'estimated_count as estimated_record_count',
      'error_count',
      'warning_count',
      'created_at',
      'started_at',
      'completed_at',
      'updated_at',
    ])
    .where('execution_id', 'in', [...byId.keys()])
    .orderBy('schema_id')
    .execute();
  const result = new Map<string, BulkSchemaExecution[]>();
  for (const { execution_id: executionId, ...row } of rows) {
    const execution = byId.get(executionId)?.status ?? 'running';
    const list = result.get(executionId) ?? [];
    list.push({
      ...row,
      status: presentSchemaStatus(row.status, execution),
      status_message: row.status_message ?? '',
    });
    result.set(executionId, list);
  }
  return result;
}

function present(execution: Execution, schemas: BulkSchemaExecution[]): BulkExecution {
  const { options, counts } = execution;
  return {
    id: execution.id,
    status: presentStatus(execution.status),
    status_message: execution.statusMessage ?? '',
    type: execution.trigger,
    fetch_mode: typeof options.fetch_mode === 'string' ? options.fetch_mode : 'none',
    output_disposition:
      typeof options.output_disposition === 'string' ? options.output_disposition : 'retain',
    is_partial: Array.isArray(options.schemas),
    is_resync: options.resync_mode !== undefined,
    is_test: options.test === true,
    record_count: schemas.reduce((total, schema) => total + schema.record_count, 0),
    error_count: counts.errors ?? 0,
    warning_count: counts.warnings ?? 0,
    schemas,
    created_at: execution.createdAt,
    started_at: execution.startedAt,
    completed_at: execution.completedAt,
    updated_at: execution.updatedAt,
  };
}
