export { cancelExecution, cancelSync } from './cancel.ts';
export { ClaimLost } from './claim.ts';
export { type ConsoleEntry, readConsole } from './console.ts';
export type {
  Counts,
  Execution,
  ExecutionKind,
  ExecutionStatus,
  Outcome,
  Progress,
  RecordLogType,
  Run,
  Runner,
  Subject,
} from './contract.ts';
export { presentModelExecution } from './present.ts';
export { executionQueue } from './queue.ts';
export { listRecordLogs, openRecordLog, type RecordLogFile, recordLogTypes } from './record-logs.ts';
export { releaseExecutions } from './release.ts';
export { deleteExecutions } from './remove.ts';
export { createRun, Stopped } from './run.ts';
export { type NewExecution, startExecution } from './start.ts';
export { type ExecutionPage, executionOwner, getExecution, listExecutions, syncStatus } from './store.ts';
export { startExecutionWorker, type WorkerDependencies } from './worker.ts';
