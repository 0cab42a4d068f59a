export { cancelExecution, cancelSync } from './cancel.ts';
export { readConsole } from './console.ts';
export type {
  Counts,
  Execution,
  ExecutionStatus,
  HeldLogs,
  LogEntries,
  Outcome,
  RecordLogType,
  Run,
  Runner,
} from './contract.ts';
export { folderLogs } from './folder-logs.ts';
export { presentModelExecution } from './present.ts';
export { executionQueue } from './queue.ts';
export { openRecordLogStore, type RecordLogStore } from './record-log-store.ts';
export { listRecordLogs, openRecordLog, type RecordLogFile, recordLogTypes } from './record-logs.ts';
export { releaseExecutions } from './release.ts';
export { deleteExecutions } from './remove.ts';
export { removeExpired, startRetention } from './retention.ts';
export { createRun, isCanceled } from './run.ts';
export { runInProcess } from './run-claimed.ts';
export { executionTask, executionTaskOf, runIsolated } from './run-isolated.ts';
export { startExecution } from './start.ts';
export {
  executionOwner,
  findExecution,
  getExecution,
  isFinished,
  lastWhole,
  listExecutions,
  syncStatus,
} from './store.ts';
export { watchQueue } from './watch-queue.ts';
export { startExecutionWorker } from './worker.ts';
