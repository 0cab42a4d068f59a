/**
 * One run of a model sync or a bulk sync, whatever it does.
 *
 *   created → queued → running → (canceling →) completed | failed | canceled        bulk also: errors
 *
 * This module owns the state machine, the claim, counts, checkpoints, console log and record logs. What an
 * execution does is a Runner, registered by kind in the composition root.
 */
import type { Transaction } from '../db/index.ts';
import type { EndedBytes } from '../lib/ended-bytes.ts';
import type { Json, JsonObject } from '../lib/json.ts';

export type ExecutionKind = 'model' | 'bulk';

export type ExecutionStatus =
  | 'created'
  | 'queued'
  | 'running'
  | 'canceling'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'errors';

/** What events say about the sync, frozen when the execution starts. */
export type Subject =
  | { sync_name: string; target_connection_id: string }
  | { sync_name: string; source_connection_id: string; destination_connection_id: string };

export interface Execution {
  id: string;
  organizationId: string;
  kind: ExecutionKind;
  syncId: string;
  status: ExecutionStatus;
  /** `manual` or `scheduled`. */
  trigger: string;
  options: JsonObject;
  subject: Subject;
  counts: Counts;
  errors: string[];
  statusMessage: string | null;
  checkpoint: Json;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
  updatedAt: string;
}

export type Counts = Record<string, number>;

export type RecordLogType = 'records' | 'errors' | 'warnings' | 'inserts' | 'updates' | 'deletes';

/** How a run ended. `errors` is for bulk executions in which some schemas failed. */
export interface Outcome {
  status: 'completed' | 'failed' | 'errors';
  /** Shown in the execution and its event. */
  errors?: string[];
  /** Of a bulk execution: which schemas failed. */
  failures?: Failure[];
}

export interface Failure {
  schema: string;
  error: string;
}

/** An execution in the hands of a runner. */
export interface Run {
  execution: Execution;
  /**
   * Aborted when the execution is to be canceled, the claim is lost, or this process drains. The runner
   * stops at its next batch by throwing (`signal.throwIfAborted()`); the reason decides what happens then.
   */
  signal: AbortSignal;
  /**
   * Commits progress in one transaction: `work` (the runner's own tables), counts to add, the new checkpoint,
   * and the record log entries appended since the last commit. Fails when the claim is lost.
   *
   * @param work gets the logs that are on disk and do not count yet: what `hold` left, and what comes with it.
   */
  commit(progress: Progress, work?: (tx: Transaction, held: HeldLogs) => Promise<void>): Promise<void>;
  /**
   * Appends one entry, JSON text of an object, to a record log, or to several that have it alike: they share a
   * file. Acknowledged by the next `commit`.
   */
  recordLog(types: RecordLogType | readonly RecordLogType[], entry: string): void;
  /** The same for many that are bytes already. */
  recordLogs(types: readonly RecordLogType[], entries: LogEntries): void;
  /** What was logged and does not count yet was never logged. */
  dropLogs(): Promise<void>;
  /** A line of the console log. The newest 50 are kept, per execution and per schema. */
  console(
    level: 'info' | 'warn' | 'error',
    message: string,
    payload?: JsonObject,
    schemaId?: string,
  ): Promise<void>;
}

export interface Progress {
  /** Added to the execution's counts. */
  counts?: Counts;
  /** Replaces the checkpoint. */
  checkpoint?: Json;
  /** The log entries go to disk, out of memory, but do not count before a commit without `hold`. */
  hold?: boolean;
  /** Logs that another worker held for this execution, and that count now. */
  adopt?: HeldLogs;
}

/** Entries one behind the other, with `,\n` before each: what is the first of a file gets `[\n` instead. */
export type LogEntries = EndedBytes;

/** Files of record logs and how much of them is meant, as JSON. */
export type HeldLogs = {
  filename: string;
  types: RecordLogType[];
  bytes: number;
  parts: number | null;
  records: number;
  closed: boolean;
}[];

export type Runner = (run: Run) => Promise<Outcome>;
