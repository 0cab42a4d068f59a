import type { RecordResult } from '../connectors/index.ts';
import type { Counts, RecordLogType, Run } from '../executions/index.ts';
import { type Answer, acknowledge } from './baseline.ts';
import { clearIntent } from './intents.ts';
import type { DeliverCheckpoint } from './plan.ts';
import { advancePlan, type PlannedRecord } from './planned-records.ts';
import { errorEntry, recordEntry, warningEntry } from './record-entries.ts';

/** Makes the destination's answers to a stretch of the plan count: logs, counts, baseline and progress, in one transaction. */
export async function settle(
  run: Run,
  checkpoint: DeliverCheckpoint,
  records: readonly PlannedRecord[],
  results: readonly RecordResult[],
): Promise<void> {
  const { plan, task } = checkpoint;
  const answers = answersOf(records, results);
  const counts: Counts = {};
  for (const { record, result } of answers) {
    const entry = recordEntry(task, record);
    run.recordLog(logsOf[result.status], entry);
    if (result.status === 'refused') {
      run.recordLog('errors', errorEntry(task, record.key, result.reason, entry));
    }
    for (const warning of ('warnings' in result && result.warnings) || []) {
      run.recordLog('warnings', warningEntry(task, record.key, warning));
      counts.warnings = (counts.warnings ?? 0) + 1;
    }
    const count = countOf[result.status];
    if (count !== undefined) counts[count] = (counts[count] ?? 0) + 1;
  }
  await run.commit({ counts }, async (tx) => {
    await acknowledge(tx, checkpoint, answers, checkpoint.baselineIsEmpty !== true);
    await advancePlan(tx, plan, records.at(-1)?.n ?? 0);
    await clearIntent(tx, run.execution.id);
  });
}

/** @throws when the writer did not answer for every record. */
export function answersOf(records: readonly PlannedRecord[], results: readonly RecordResult[]): Answer[] {
  return records.map((record, index) => {
    const result = results[index];
    if (result === undefined) {
      throw new Error(`the writer gave ${results.length} results for ${records.length} records`);
    }
    return { record, result };
  });
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
