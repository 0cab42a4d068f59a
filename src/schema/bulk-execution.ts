import { type Static, Type } from 'typebox';

const time = Type.Union([Type.String(), Type.Null()]);

/** Beside Polytomic's fields: how far a table is. */
const progress = {
  byte_count: Type.Integer(),
  /** Rows that the table had when its load began, as far as the source could tell without counting. */
  estimated_record_count: Type.Union([Type.Integer(), Type.Null()]),
};

export const BulkSchemaExecution = Type.Object({
  /** Id of the schema in the source. */
  schema: Type.String(),
  output_name: Type.String(),
  status: Type.String(),
  status_message: Type.String(),
  record_count: Type.Integer(),
  ...progress,
  error_count: Type.Integer(),
  warning_count: Type.Integer(),
  created_at: Type.String(),
  started_at: time,
  completed_at: time,
  updated_at: Type.String(),
});
export type BulkSchemaExecution = Static<typeof BulkSchemaExecution>;

export const BulkExecution = Type.Object({
  id: Type.String(),
  status: Type.String(),
  status_message: Type.String(),
  /** `manual` or `scheduled`. */
  type: Type.String(),
  fetch_mode: Type.String(),
  output_disposition: Type.String(),
  is_partial: Type.Boolean(),
  is_resync: Type.Boolean(),
  is_test: Type.Boolean(),
  record_count: Type.Integer(),
  error_count: Type.Integer(),
  warning_count: Type.Integer(),
  schemas: Type.Array(BulkSchemaExecution),
  created_at: Type.String(),
  started_at: time,
  completed_at: time,
  updated_at: Type.String(),
});
export type BulkExecution = Static<typeof BulkExecution>;

export const BulkSyncStatus = Type.Object({
  current_execution: Type.Optional(BulkExecution),
  last_execution: Type.Optional(BulkExecution),
  next_execution_time: time,
});
export type BulkSyncStatus = Static<typeof BulkSyncStatus>;

/** One line of `GET /api/bulk/syncs/status`. */
export const BulkSyncExecutionStatus = Type.Object({
  sync_id: Type.String(),
  status: Type.String(),
  nextExecutionTime: time,
  schemas: Type.Array(
    Type.Object({
      schema: Type.String(),
      execution_id: Type.String(),
      status: Type.String(),
      status_message: Type.String(),
      record_count: Type.Integer(),
      ...progress,
      error_count: Type.Integer(),
      warning_count: Type.Integer(),
      started_at: time,
      completed_at: time,
    }),
  ),
});
export type BulkSyncExecutionStatus = Static<typeof BulkSyncExecutionStatus>;
