import type { AlikeIdentities, ModelDestination, TargetLife } from '../connectors/index.ts';
import { type Database, withSession } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { Json } from '../lib/json.ts';
import type { RecordSource } from '../models/index.ts';
import {
  type Baseline,
  type BaselineProgress,
  baselineTable,
  currentBaseline,
  emptyBaseline,
  forgetBaseline,
  mixedDigest,
  noteLife,
  useBaseline,
} from './baseline.ts';
import { type KnownRecords, type Scope, sendsAll } from './classify.ts';
import { dryRun } from './dry-run.ts';
import { forgetGone, forgetOffered } from './forget.ts';
import type { ModelSync } from './model-sync.ts';
import { planAll, takeNote } from './plan-all.ts';
import { planChanges } from './plan-changes.ts';
import { createPlan } from './planned-records.ts';
import { newBaseline, type Planning } from './planning.ts';
import { dropStaleTables, type StaleTables, staleTables } from './stale-tables.ts';
import { whyLost } from './target-life.ts';
import type { Task } from './task.ts';

/** Kept in the execution once it has planned: whoever runs it from then on delivers and plans no more. */
export interface DeliverCheckpoint {
  phase: 'deliver';
  plan: number;
  task: Task;
  /** Undefined where nothing is to be remembered. */
  baseline?: BaselineProgress;
}

export interface Parts {
  source: RecordSource;
  destination: ModelDestination;
  /** See `alikeFor`. */
  alike: AlikeIdentities | undefined;
  /** See `lifeOf`. */
  life: TargetLife | undefined;
}

/**
 * Finds out which records to send and writes them down, in full: from then on the source is not needed any more,
 * however long the destination takes, and a worker that takes over sends what the one before it would have.
 *
 * @returns undefined when nothing is to be sent: a dry run, or a first execution that only takes note.
 */
export async function plan(
  db: Database,
  run: Run,
  sync: ModelSync,
  task: Task,
  { source, destination, alike, life }: Parts,
): Promise<DeliverCheckpoint | undefined> {
  const { resync, test, identities } = run.execution.options;
  // What is replaced as a whole is known by nothing but the target.
  const replaces = sync.mode === 'replace';
  const current = replaces ? undefined : await currentBaseline(db, sync.id, task.baselineTarget);
  const moved = current && movedBaseline(current, task);
  const known = current && moved && knownRecords(current, moved);
  return withSession(db, async (session) => {
    const why = current && known && life && (await whyLost(session, sync, known, current.life, life));
    const lost = why !== undefined;
    const scope: Scope = {
      mode: sync.mode,
      baseline: lost ? undefined : known,
      everything: sync.syncAllRecords,
      resync: resync === true,
    };
    if (lost)
      await run.console('warn', `The target has not what it took: ${why}. Every record is offered again`);
    await session.query(`set jit = off; set work_mem = '64MB'`);
    // Records asked for by identity say nothing about those that were not.
    const asked = identities !== undefined;
    const planning: Planning = { db, run, session, source, sync, task, scope, destination, alike, life };
    if (test === true) return dryRun(planning);
    // What everything is sent to acknowledges everything anew.
    const renews = current === undefined || (!asked && sendsAll(scope));
    let stale: StaleTables | undefined;
    await run.commit({}, async (tx) => {
      if (current === undefined) await forgetBaseline(tx, sync.id);
      // At once: whatever becomes of this execution, nothing that was acknowledged before it counts.
      else if (lost || (renews && scope.resync)) await emptyBaseline(tx, current.number);
      stale = await staleTables(tx, sync.id);
    });
    await dropStaleTables(db, stale);
    const skipped = sync.skipInitialBackfill && current === undefined;
    if (skipped && !scope.resync && !asked) return takeNote(planning);
    // Else the next execution would take the backfill that is to be skipped for records that are new.
    const remembers = !(replaces || (skipped && asked));
    const renewed = remembers && renews ? await newBaseline(planning, asked) : undefined;
    const baseline = remembers ? (renewed ?? moved) : undefined;
    const plan = await createPlan(session, sync.id, run.execution.id);
    const { records, invalid, leaves } = sendsAll(scope)
      ? await planAll(planning, plan, baseline)
      : await planChanges(planning, plan);
    const checkpoint: DeliverCheckpoint = { phase: 'deliver', plan, task, ...(baseline && { baseline }) };
    await run.commit(
      {
        counts: { total: records + invalid, error: invalid },
        // Made of names, numbers and configurations that came as JSON.
        checkpoint: checkpoint as unknown as Json,
      },
      async (tx) => {
        if (baseline !== undefined) await noteLife(tx, baseline.number, life);
        if (renewed !== undefined) {
          await forgetBaseline(tx, sync.id);
          await useBaseline(tx, renewed.number, task.baselineTarget, renewed.filled ? 0 : null);
        } else if (baseline !== undefined) {
          await forgetOffered(planning, baseline);
          if (leaves) await forgetGone(planning, baseline);
        }
      },
    );
    return checkpoint;
  });
}

function movedBaseline({ number, mappingDigest }: Baseline, task: Task): BaselineProgress {
  return { number, digest: mixedDigest(task.mappingDigest, mappingDigest), filled: false };
}

function knownRecords({ acknowledged }: Baseline, { number, digest }: BaselineProgress): KnownRecords {
  return { table: baselineTable(number), digest, acknowledged };
}
