// Generated from src/schema/event-payloads.ts; do not edit.

export interface SyncRunningEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** The connection that is written to. */
  target_connection_id: string;
}

export interface SyncFailedEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Why, in words; several reasons are separated by newlines. */
  error: string;
  /** The connection that is written to. */
  target_connection_id: string;
}

export interface SyncCanceledEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Always `canceled`. */
  status: string;
  /** The connection that is written to. */
  target_connection_id: string;
}

export interface SyncCompletedEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Always `completed`. */
  status: string;
  /** Links to the record logs of every record that was offered; null when there are none or recording is off. */
  total_records: string[] | null;
  /** Links to the record logs of inserted records; null when there are none or recording is off. */
  inserted_records: string[] | null;
  /** Links to the record logs of updated records; null when there are none or recording is off. */
  updated_records: string[] | null;
  /** Links to the record logs of deleted records; null when there are none or recording is off. */
  deleted_records: string[] | null;
  /** Links to the record logs of refused records; null when there are none or recording is off. */
  errored_records: string[] | null;
  /** Links to the record logs of values that were changed on the way; null when there are none or recording is off. */
  warnings: string[] | null;
  /** Records offered. */
  record_count: number;
  /** Records inserted. */
  inserted_count: number;
  /** Records updated. */
  updated_count: number;
  /** Records inserted or updated where the destination does not say which. */
  upserted_count: number;
  /** Records refused; 0 in this event. */
  error_count: number;
  /** Warnings. */
  warning_count: number;
  /** What started the execution: `manual` or `scheduled`. */
  trigger: string;
  /** The connection that is written to. */
  target_connection_id: string;
}

export interface SyncCompletedWithErrorsEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Why, in words; several reasons are separated by newlines. */
  error: string;
  /** Records refused. */
  number_of_errors: number;
  /** Warnings. */
  number_of_warnings: number;
  /** The connection that is written to. */
  target_connection_id: string;
}

export interface BulkSyncRunningEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** The connection that is read. */
  source_connection_id: string;
  /** The connection that is written to. */
  destination_connection_id: string;
}

export interface BulkSyncCompletedEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Records that were read. */
  record_count: number;
  /** Schemas that failed. */
  error_count: number;
  /** Warnings. */
  warning_count: number;
  /** What started the execution: `manual` or `scheduled`. */
  trigger_source: string;
  /** The connection that is read. */
  source_connection_id: string;
  /** The connection that is written to. */
  destination_connection_id: string;
}

export interface BulkSyncCanceledEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** The connection that is read. */
  source_connection_id: string;
  /** The connection that is written to. */
  destination_connection_id: string;
}

export interface BulkSyncFailedEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Why, in words; several reasons are separated by newlines. */
  error: string;
  /** The schemas (tables) that failed, and why each did. Empty when it was not a schema that failed. */
  failed_schemas: string;
  /** Records that were read. */
  record_count: number;
  /** Schemas that failed. */
  error_count: number;
  /** Warnings. */
  warning_count: number;
  /** What started the execution: `manual` or `scheduled`. */
  trigger_source: string;
  /** The connection that is read. */
  source_connection_id: string;
  /** The connection that is written to. */
  destination_connection_id: string;
}

export interface BulkSyncCompletedWithErrorEvent {
  /** Name of the sync when the execution started. */
  name: string;
  /** The same as `name`, as the SDKs spell it. */
  sync_name: string;
  /** The organization. */
  organization_id: string;
  /** The model sync or bulk sync. */
  sync_id: string;
  /** This run of it. */
  execution_id: string;
  /** Why, in words; several reasons are separated by newlines. */
  error: string;
  /** The schemas (tables) that failed, and why each did. Empty when it was not a schema that failed. */
  failed_schemas: string;
  /** Records that were read. */
  record_count: number;
  /** Schemas that failed. */
  error_count: number;
  /** Warnings. */
  warning_count: number;
  /** What started the execution: `manual` or `scheduled`. */
  trigger_source: string;
  /** The connection that is read. */
  source_connection_id: string;
  /** The connection that is written to. */
  destination_connection_id: string;
}

/** The body of a webhook. */
export type WebhookEvent =
  | { type: 'sync.running'; event: SyncRunningEvent }
  | { type: 'sync.failed'; event: SyncFailedEvent }
  | { type: 'sync.canceled'; event: SyncCanceledEvent }
  | { type: 'sync.completed'; event: SyncCompletedEvent }
  | { type: 'sync.completed_with_errors'; event: SyncCompletedWithErrorsEvent }
  | { type: 'bulk_sync.running'; event: BulkSyncRunningEvent }
  | { type: 'bulk_sync.completed'; event: BulkSyncCompletedEvent }
  | { type: 'bulk_sync.canceled'; event: BulkSyncCanceledEvent }
  | { type: 'bulk_sync.failed'; event: BulkSyncFailedEvent }
  | { type: 'bulk_sync.completed_with_error'; event: BulkSyncCompletedWithErrorEvent };
