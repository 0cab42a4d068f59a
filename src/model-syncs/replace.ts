import {
  BatchRefused,
  type FieldWarning,
  type ModelDestination,
  type ModelReplacement,
  RecordsRefused,
  type ReplacedRow,
} from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import type { Counts, HeldLogs, Run } from '../executions/index.ts';
import { Entries } from './entries.ts';
import { clearIntent, ownIntent, storeIntent, wasCommitted } from './intents.ts';
import { checkDeletes, deleteLimit } from './max-deletes.ts';
import { persist } from './persist.ts';
import type { DeliverCheckpoint } from './plan.ts';
import type { PlannedBatch, PlannedRecord } from './planned-batch.ts';
import { countAfter, finishPlan, progressOf, readAhead, readKeysAside } from './planned-records.ts';
import { errorEntry, recordEntry, replacedEntry, warningEntry } from './record-entries.ts';
import { hasArrived } from './settle-intents.ts';
import { splitRefused } from './split-refused.ts';
import { progressTeller } from './story.ts';
import { SyncFailed } from './sync-failed.ts';
import { outgoing } from './task.ts';

export interface Replacing {
  db: Database;
  run: Run;
  checkpoint: DeliverCheckpoint;
  destination: ModelDestination;
  retryDelays: readonly number[];
}

/** Log entries that are kept in memory at most. */
const entriesAtMost = 5_000;

/**
 * Mode `replace`: the whole plan is added to a replacement, which the destination makes live in one step. Nothing
 * counts before that. A worker that takes over starts over, unless the destination says that it was done.
 */
export async function replaceAll(replacing: Replacing): Promise<void> {
  const { db, run, checkpoint, retryDelays } = replacing;
  const { finished } = await progressOf(db, checkpoint.plan);
  if (finished) return;
  if (!(await countEarlier(replacing))) {
    const planned = await countAfter(db, checkpoint.plan, 0);
    await run.console('info', `Replacing the target with ${planned} records`);
    const doubt: Doubt = { refused: new Map() };
    const isFinal = (error: unknown) => error instanceof BatchRefused || doubt.ourFailure !== undefined;
    const tryOnce = () =>
      persist(run, retryDelays, 'The target could not be replaced', () => attempt(replacing, doubt), isFinal);
    try {
      await withoutRefused(run, doubt, tryOnce);
    } catch (error) {
      if (doubt.ourFailure !== undefined) throw doubt.ourFailure;
      if (!(error instanceof BatchRefused)) throw error;
      const reason = `The target refuses the records as a whole, and is as it was: ${error.message}`;
      throw new SyncFailed(reason, { cause: error });
    }
  }
  // Through the claim: a successor may be about to read it.
  await run.commit({}, (tx) => finishPlan(tx, checkpoint.plan));
}

/** Attempts, each without the records that those before were refused for. */
const roundsAtMost = 5;

async function withoutRefused(run: Run, doubt: Doubt, attempt: () => Promise<void>): Promise<void> {
  for (let round = 1; ; round++) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (!(error instanceof RecordsRefused) || round === roundsAtMost) throw error;
      for (const [key, reason] of error.reasons) doubt.refused.set(key, reason);
      const what = `${error.reasons.size} records were refused when the target was about to be replaced`;
      await run.console('warn', `${what}: it is replaced without them`);
    }
  }
}

/** What an attempt leaves for the next one. */
interface Doubt {
  /** Why records are not to be added, by their identities as the destination writes them. */
  refused: Map<string, string>;
  /** Applied, and perhaps committed: the intent. */
  applied?: { token: string; counts: Counts };
  /** Not the destination's. */
  ourFailure?: unknown;
}

async function attempt({ db, run, checkpoint, destination }: Replacing, doubt: Doubt): Promise<void> {
  const { plan, task } = checkpoint;
  const limit = await deleteLimit(destination, task);
  const replacement = await openReplacement(destination, checkpoint, doubt.refused);
  const commit: Run['commit'] = async (progress, work) => {
    try {
      await run.commit(progress, work);
    } catch (error) {
      doubt.ourFailure = error;
      throw error;
    }
  };
  const count = (counts: Counts) => commit({ counts }, (tx) => clearIntent(tx, run.execution.id));
  if (doubt.applied !== undefined) {
    if (await wasCommitted(replacement, doubt.applied.token)) return count(doubt.applied.counts);
    await commit({ hold: true }, (tx) => clearIntent(tx, run.execution.id));
    delete doubt.applied;
  }
  await run.dropLogs();

  const counts: Counts = {};
  const refused: number[] = [];
  const refuse = (record: PlannedRecord, reason: string) => {
    refused.push(record.n);
    counts.error = (counts.error ?? 0) + 1;
    run.recordLog('errors', errorEntry(task, record.key, reason, recordEntry(task, record)));
  };
  const warn = (record: PlannedRecord, warnings: readonly FieldWarning[]) => {
    for (const warning of warnings) run.recordLog('warnings', warningEntry(task, record.key, warning));
    if (warnings.length > 0) counts.warnings = (counts.warnings ?? 0) + warnings.length;
  };
  const tell = progressTeller(run);
  const entries = new Entries(task);
  let added = 0;
  for await (const batch of readAhead(db, plan, 0, replacement.batchSize)) {
    await addBatch(replacement, checkpoint, batch, refuse, warn);
    run.recordLogs(['records'], await entries.of('records', batch, [...batch.ends.keys()]));
    await commit({ hold: true });
    added += batch.length;
    await tell(() => `${added} records are ready to replace the target`);
  }
  let logged = 0;
  const replaced = async (rows: readonly ReplacedRow[]) => {
    for (const row of rows) {
      const { count, log } = countedAs[row.status];
      counts[count] = (counts[count] ?? 0) + 1;
      run.recordLog(log, replacedEntry(task, replacement.fields, row));
    }
    // Before anything is to be seen of it.
    checkDeletes(counts.delete ?? 0, limit);
    logged += rows.length;
    if (logged < entriesAtMost) return;
    logged = 0;
    await commit({ hold: true });
  };
  await replacement.replace(readKeysAside(db, plan, refused), replaced, async (token) => {
    await commit({ hold: true }, (tx, logs) =>
      storeIntent(tx, run.execution.id, token, { counts, logs } satisfies Replaced),
    );
    doubt.applied = { token, counts };
  });
  await count(counts);
}

/** A refused batch is split until the record that is at fault stands alone. */
async function addBatch(
  replacement: ModelReplacement,
  checkpoint: DeliverCheckpoint,
  batch: PlannedBatch,
  refuse: (record: PlannedRecord, reason: string) => void,
  warn: (record: PlannedRecord, warnings: readonly FieldWarning[]) => void,
): Promise<void> {
  try {
    const checked = await replacement.add(outgoing(checkpoint.task, batch.records));
    checked.forEach(({ refused, warnings }, place) => {
      const record = batch.records[place];
      if (record === undefined) return;
      if (refused === undefined) warn(record, warnings);
      else refuse(record, refused);
    });
  } catch (error) {
    if (!(error instanceof BatchRefused)) throw error;
    if (batch.length === 1) return refuse(batch.record(0), error.message);
    for (const part of splitRefused(batch, error))
      await addBatch(replacement, checkpoint, part, refuse, warn);
  }
}

/** What counts once the destination has committed: kept as the intent. */
interface Replaced {
  counts: Counts;
  logs: HeldLogs;
}

/** A worker died after the destination had made everything live and before it counted here. */
async function countEarlier({ db, run, checkpoint, destination, retryDelays }: Replacing): Promise<boolean> {
  const intent = await ownIntent(db, run.execution);
  if (intent === undefined) return false;
  const replacement = await openReplacement(destination, checkpoint);
  const arrived = await hasArrived(run, replacement, intent, retryDelays);
  const { counts, logs } = intent.results as unknown as Replaced;
  await run.commit(arrived ? { counts, adopt: logs } : {}, (tx) => clearIntent(tx, run.execution.id));
  if (arrived) await run.console('info', 'The target had been replaced already');
  return arrived;
}

async function openReplacement(
  destination: ModelDestination,
  { task }: DeliverCheckpoint,
  refused: ReadonlyMap<string, string> = new Map(),
): Promise<ModelReplacement> {
  const replacement = await destination.replacement?.(task.target, refused);
  if (replacement === undefined) throw new SyncFailed(`${task.target.object} cannot be replaced`);
  return replacement;
}

const countedAs = {
  inserted: { count: 'insert', log: 'inserts' },
  updated: { count: 'update', log: 'updates' },
  deleted: { count: 'delete', log: 'deletes' },
} as const;
