import type { RecordResult } from '../connectors/index.ts';
import type { Counts, LogEntries, RecordLogType, Run } from '../executions/index.ts';
import { acknowledge } from './baseline.ts';
import { Entries } from './entries.ts';
import { clearIntent } from './intents.ts';
import type { DeliverCheckpoint } from './plan.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { advancePlan } from './planned-records.ts';
import { errorEntry, recordEntry, warningEntry } from './record-entries.ts';

/**
 * Makes the destination's answers to a stretch of the plan count: logs, counts, baseline and progress, in one transaction.
 *
 * @param entries of a delivery that settles one stretch after the other.
 * @throws when the writer did not answer for every record.
 */
export async function settle(
  run: Run,
  checkpoint: DeliverCheckpoint,
  batch: PlannedBatch,
  results: readonly RecordResult[],
  entries: Entries = new Entries(checkpoint.task),
): Promise<void> {
  const { plan, task } = checkpoint;
  checkAnswers(batch, results);
  const counts: Counts = {};
  const made: [RecordResult['status'], LogEntries][] = [];
  for (const [status, places] of placesByStatus(results)) {
    made.push([status, await entries.of(status, batch, places)]);
    const count = countOf[status];
    if (count !== undefined) counts[count] = places.length;
  }
  // Copied: kept during the commit, it would be memory that only a full collection frees.
  batch.sent = [];
  // All of them in the commit below: nothing else may come in between.
  for (const [status, entries] of made) run.recordLogs(logsOf[status], entries);
  for (const [index, result] of results.entries()) {
    const warnings = ('warnings' in result && result.warnings) || [];
    if (result.status !== 'refused' && warnings.length === 0) continue;
    const record = batch.record(index);
    if (result.status === 'refused') {
      run.recordLog('errors', errorEntry(task, record.key, result.reason, recordEntry(task, record)));
    }
    for (const warning of warnings) {
      run.recordLog('warnings', warningEntry(task, record.key, warning));
      counts.warnings = (counts.warnings ?? 0) + 1;
    }
  }
  await run.commit({ counts }, async (tx) => {
    await acknowledge(tx, checkpoint, batch, results);
    await advancePlan(tx, plan, batch.last);
    await clearIntent(tx, run.execution.id);
  });
}

/** @throws when the writer did not answer for every record. */
export function checkAnswers(batch: PlannedBatch, results: readonly RecordResult[]): void {
  if (results.length === batch.length) return;
  throw new Error(`the writer gave ${results.length} results for ${batch.length} records`);
}

function placesByStatus(results: readonly RecordResult[]): Map<RecordResult['status'], number[]> {
  const places = new Map<RecordResult['status'], number[]>();
  results.forEach(({ status }, index) => {
    const found = places.get(status);
    if (found === undefined) places.set(status, [index]);
    else found.push(index);
  });
  return places;
}

const logsOf: Record<RecordResult['status'], readonly RecordLogType[]> = {
  inserted: ['records', 'inserts'],
  updated: ['records', 'updates'],
  deleted: ['records', 'deletes'],
  upserted: ['records'],
  refused: ['records'],
  skipped: ['records'],
};

const countOf: Record<RecordResult['status'], string | undefined> = {
  inserted: 'insert',
  updated: 'update',
  upserted: 'upserts',
  deleted: 'delete',
  refused: 'error',
  skipped: undefined,
};
