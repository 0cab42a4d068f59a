import { sql } from 'kysely';
import type { ModelSource } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { Json } from '../lib/json.ts';
import { currentBaselineTarget, forgetBaseline, setBaselineTarget } from './baseline.ts';
import { type Classes, classify, invalidKeys, type Scope, writeBaseline, writePlan } from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import { readKeys } from './read.ts';
import { invalidEntry } from './record-entries.ts';
import { type Staging, stage, withStaging } from './staging.ts';
import type { Task } from './task.ts';

/** Kept in the execution once it has planned: whoever runs it from then on delivers and plans no more. */
export interface DeliverCheckpoint {
  phase: 'deliver';
  plan: number;
  task: Task;
}

/**
 * Finds out which records to send and writes them down.
 *
 * @returns undefined when nothing is to be sent: a dry run, or a first execution that only takes note.
 */
export async function plan(
  db: Database,
  run: Run,
  sync: ModelSync,
  task: Task,
  source: ModelSource,
): Promise<DeliverCheckpoint | undefined> {
  const { resync, test } = run.execution.options;
  const baselineApplies = (await currentBaselineTarget(db, sync.id)) === task.baselineTarget;
  const scope: Scope = {
    syncId: sync.id,
    mode: sync.mode,
    baselineApplies,
    everything: sync.syncAllRecords,
    resync: resync === true,
  };
  if (test !== true) {
    await run.commit({}, async (tx) => {
      await tx.deleteFrom('model_sync_plan').where('sync_id', '=', sync.id).execute();
      if (!baselineApplies) await forgetBaseline(tx, sync.id);
    });
  }
  return withStaging(db, async (staging) => {
    let records = 0;
    for await (const batch of readKeys(run, source, task.query)) {
      await stage(staging, task.mappingDigest, batch);
      records += batch.length;
    }
    await sql`analyze model_sync_staging`.execute(staging);
    const classes = await classify(staging, scope);
    await run.console('info', `Read ${records} records of the model: ${inWords(classes)}`);
    if (test === true) {
      await logInvalid(run, staging, task);
      await run.commit({ counts: planned(classes, sync) });
      await run.console('info', 'Dry run: nothing was sent');
      return undefined;
    }
    // Records asked for by identity are sent in any case, and say nothing about those that were not.
    const asked = run.execution.options.identities !== undefined;
    const noteOnly = sync.skipInitialBackfill && !baselineApplies && !scope.resync && !asked;
    if (noteOnly) return takeNote(run, staging, task, classes);
    const ofSkipped = asked && sync.skipInitialBackfill && !baselineApplies;
    return commitPlan(run, staging, scope, task, classes, ofSkipped);
  });
}

/** The heavy writing comes before the commit that makes it count, which holds the execution's row. */
async function commitPlan(
  run: Run,
  staging: Staging,
  scope: Scope,
  task: Task,
  { inserts, updates, invalid }: Classes,
  ofSkipped: boolean,
): Promise<DeliverCheckpoint> {
  const { rows } = await sql<{ plan: number }>`select nextval('model_sync_plans') as plan`.execute(staging);
  const checkpoint: DeliverCheckpoint = { phase: 'deliver', plan: rows[0]?.plan ?? 0, task };
  if (inserts + updates > 0) await writePlan(staging, scope, checkpoint.plan);
  await logInvalid(run, staging, task);
  await run.commit(
    {
      counts: { total: inserts + updates + invalid, error: invalid },
      // Made of names, numbers and configurations that came as JSON.
      checkpoint: checkpoint as unknown as Json,
    },
    async (tx) => {
      // Else the next execution would take the backfill that is to be skipped for records that are new.
      if (!ofSkipped) await setBaselineTarget(tx, scope.syncId, task.baselineTarget);
    },
  );
  return checkpoint;
}

/** `skip_initial_backfill`: the first execution about a target sends nothing. */
async function takeNote(run: Run, staging: Staging, task: Task, { invalid }: Classes): Promise<undefined> {
  const syncId = task.target.sync.id;
  await writeBaseline(staging, syncId);
  await logInvalid(run, staging, task);
  await run.commit({ counts: { total: invalid, error: invalid } }, (tx) =>
    setBaselineTarget(tx, syncId, task.baselineTarget),
  );
  await run.console('info', 'First execution: every record was noted, none sent (skip_initial_backfill)');
}

async function logInvalid(run: Run, staging: Staging, task: Task): Promise<void> {
  for (const { key, occurrences } of await invalidKeys(staging)) {
    const entry = invalidEntry(task, key, occurrences);
    for (let occurrence = 0; occurrence < occurrences; occurrence++) run.recordLog('errors', entry);
  }
}

/** What a dry run counts. `update` creates nothing: what it does not know yet may still be there to update. */
function planned({ inserts, updates, invalid }: Classes, { mode }: ModelSync): Record<string, number> {
  const total = inserts + updates + invalid;
  if (mode === 'update') return { total, update: inserts + updates, error: invalid };
  if (mode === 'append') return { total, insert: inserts + updates, error: invalid };
  return { total, insert: inserts, update: updates, error: invalid };
}

function inWords({ inserts, updates, unchanged, invalid }: Classes): string {
  const parts = [`${inserts} new`, `${updates} changed or sent again`, `${unchanged} left as they are`];
  if (invalid > 0) parts.push(`${invalid} whose identity is NULL or not unique`);
  return parts.join(', ');
}
