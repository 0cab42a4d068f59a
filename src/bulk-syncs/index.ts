export type { BulkSync } from './bulk-sync.ts';
export { cancelBulkSchema } from './cancel-schema.ts';
export { activateBulkSync, createBulkSync, deleteBulkSync, updateBulkSync } from './crud.ts';
export { describeDestination, describeSource } from './describe.ts';
export { bulkSyncStatus, getBulkExecution, listBulkExecutions, presentBulkExecution } from './executions.ts';
export { presentBulkSync, presentBulkSyncs, presentWithSchedules } from './present.ts';
export { bulkSyncRunner } from './run.ts';
export {
  createBulkSchedule,
  deleteBulkSchedule,
  getBulkSchedule,
  listBulkSchedules,
  updateBulkSchedule,
} from './schedules.ts';
export { getBulkSchema, listBulkSchemas, patchBulkSchemas, updateBulkSchema } from './schemas.ts';
export { startBulkSync } from './start.ts';
export { startScheduledBulkSync } from './start-scheduled.ts';
export { listBulkSyncStatus } from './status-list.ts';
export { getBulkSync, listBulkSyncs, pageOfBulkSyncs } from './store.ts';
export { bulkSyncsUsing } from './uses.ts';
