import { type Database, type Session, withSession } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { Json } from '../lib/json.ts';
import type { RecordSource } from '../models/index.ts';
import { currentBaselineTarget, forgetBaseline, setBaselineTarget } from './baseline.ts';
import {
  type Classes,
  classify,
  countRecords,
  forgetGone,
  type InvalidKey,
  invalidKeys,
  type Scope,
  sendsAll,
  writeBaseline,
} from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import { closePlan, createPlan, dropStalePlans, planTable, setInvalidAside } from './planned-records.ts';
import { readKeys, readRecords } from './read.ts';
import { invalidEntry } from './record-entries.ts';
import { recordColumns, stagedKeys, stagedRecords, stageKeys, stageRecords } from './staging.ts';
import type { Task } from './task.ts';

/** Kept in the execution once it has planned: whoever runs it from then on delivers and plans no more. */
export interface DeliverCheckpoint {
  phase: 'deliver';
  plan: number;
  task: Task;
  /** The baseline was empty when it was made: no record of it is known there. */
  baselineIsEmpty?: boolean;
}

/** So many changed records are asked for by key; more are found by reading the whole model once more, if that is cheap. */
const byKeyAtMost = 10_000;

/** Log entries that are kept in memory at most. */
const entriesAtMost = 5_000;

interface Planning {
  run: Run;
  session: Session;
  source: RecordSource;
  sync: ModelSync;
  task: Task;
  scope: Scope;
  /** The whole model is read, and what has left it must be offered again when it comes back. */
  forgetsGone: boolean;
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
  source: RecordSource,
): Promise<DeliverCheckpoint | undefined> {
  const { resync, test, identities } = run.execution.options;
  // What is replaced as a whole is known by nothing but the target.
  const replaces = sync.mode === 'replace';
  const baselineApplies = !replaces && (await currentBaselineTarget(db, sync.id)) === task.baselineTarget;
  const scope: Scope = {
    syncId: sync.id,
    mode: sync.mode,
    baselineApplies,
    everything: sync.syncAllRecords,
    resync: resync === true,
    mappingDigest: task.mappingDigest,
  };
  return withSession(db, async (session) => {
    await session.query(`set jit = off; set work_mem = '64MB'`);
    // Records asked for by identity are sent in any case, and say nothing about those that were not.
    const asked = identities !== undefined;
    const forgetsGone = sync.mode === 'remove' && baselineApplies && !asked && test !== true;
    const planning: Planning = { run, session, source, sync, task, scope, forgetsGone };
    if (test === true) return dryRun(planning);
    await dropStalePlans(session, sync.id);
    await run.commit({}, async (tx) => {
      if (!baselineApplies) await forgetBaseline(tx, sync.id);
    });
    const skipped = sync.skipInitialBackfill && !baselineApplies;
    if (skipped && !scope.resync && !asked) return takeNote(planning);
    const plan = await createPlan(session, sync.id, run.execution.id);
    const { records, invalid } = sendsAll(scope)
      ? await planAll(planning, plan)
      : await planChanges(planning, plan);
    await closePlan(session, plan);
    const checkpoint: DeliverCheckpoint = { phase: 'deliver', plan, task, baselineIsEmpty: !baselineApplies };
    await run.commit(
      {
        counts: { total: records + invalid, error: invalid },
        // Made of names, numbers and configurations that came as JSON.
        checkpoint: checkpoint as unknown as Json,
      },
      async (tx) => {
        // Else the next execution would take the backfill that is to be skipped for records that are new.
        if (!replaces && !(skipped && asked)) await setBaselineTarget(tx, sync.id, task.baselineTarget);
      },
    );
    return checkpoint;
  });
}

interface Planned {
  /** In the plan. */
  records: number;
  invalid: number;
}

/** One read is enough: what is read is what is sent. */
async function planAll(planning: Planning, plan: number): Promise<Planned> {
  const { run, session, source, task } = planning;
  const table = planTable(plan);
  const read = await stageRecords(session, table, readRecords(run, source, task.query));
  const { invalid } = await compare(planning, table, read);
  if (invalid.length > 0) await setInvalidAside(session, plan);
  const invalidRecords = countRecords(invalid);
  return { records: read - invalidRecords, invalid: invalidRecords };
}

/** Keys and hashes first, then the records that have changed. */
async function planChanges(planning: Planning, plan: number): Promise<Planned> {
  const { run, session, source, task } = planning;
  const read = await stageKeys(session, readKeys(run, source, task.query));
  await session.query('create temporary table wanted (record_key text collate "C", known boolean)');
  const { classes, invalid } = await compare(planning, stagedKeys, read, 'wanted');
  const changed = classes.inserts + classes.updates;
  if (changed === 0) return { records: 0, invalid: countRecords(invalid) };
  await session.query(`create temporary table staged_records (${recordColumns})`);
  if (changed > byKeyAtMost && !source.costly) {
    await stageRecords(session, stagedRecords, readRecords(run, source, task.query));
  } else {
    for await (const keys of wantedInParts(session)) {
      await stageRecords(session, stagedRecords, readRecords(run, source, task.query, keys));
    }
  }
  // What changed its identity, came twice or went since the keys were read is left to the next execution.
  const [planned] = await session.query<{ records: number }>(
    `with planned as (
       insert into ${planTable(plan)} (n, record_key, hash, record)
       select row_number() over (order by record_key), record_key, max(hash), max(record)
       from ${stagedRecords} join wanted using (record_key)
       group by record_key having count(*) = 1 and max(problem) is null
       returning 1)
     select count(*) as records from planned`,
  );
  const { records: found = 0 } = planned ?? {};
  // What was whole a moment ago need not be now.
  const broken = await invalidKeys(session, `(${stagedRecords} join wanted using (record_key))`);
  const problems = broken.filter(({ key, occurrences }) => key !== null && occurrences === 1);
  await logInvalid(planning, problems);
  const vanished = changed - found - problems.length;
  if (vanished > 0) {
    await run.console(
      'warn',
      `${vanished} records changed their identity or disappeared while they were read`,
    );
  }
  return { records: found, invalid: countRecords(invalid) + problems.length };
}

async function* wantedInParts(session: Session): AsyncGenerator<string[]> {
  for (let last: string | null | undefined = null; last !== undefined; ) {
    const rows: { record_key: string }[] = await session.query(
      `select record_key from wanted where $1::text is null or record_key > $1
       order by record_key limit ${byKeyAtMost}`,
      [last],
    );
    last = rows.at(-1)?.record_key;
    if (rows.length > 0) yield rows.map(({ record_key }) => record_key);
  }
}

async function dryRun(planning: Planning): Promise<undefined> {
  const { run, session, source, sync, task } = planning;
  const read = await stageKeys(session, readKeys(run, source, task.query));
  const { classes, invalid } = await compare(planning, stagedKeys, read);
  await run.commit({ counts: expected(classes, countRecords(invalid), sync) });
  await run.console('info', 'Dry run: nothing was sent');
}

/** `skip_initial_backfill`: the first execution about a target sends nothing. */
async function takeNote(planning: Planning): Promise<undefined> {
  const { run, session, source, task, scope } = planning;
  const read = await stageKeys(session, readKeys(run, source, task.query));
  const { invalid } = await compare(planning, stagedKeys, read);
  await writeBaseline(session, stagedKeys, scope, invalid);
  await run.commit({ counts: { total: countRecords(invalid), error: countRecords(invalid) } }, (tx) =>
    setBaselineTarget(tx, scope.syncId, task.baselineTarget),
  );
  await run.console('info', 'First execution: every record was noted, none sent (skip_initial_backfill)');
}

/** What the staged records are, told, with an error for each that cannot be sent. */
async function compare(
  planning: Planning,
  staged: string,
  read: number,
  wanted?: string,
): Promise<{ classes: Classes; invalid: InvalidKey[] }> {
  const { run, session, scope, forgetsGone } = planning;
  if (forgetsGone) await forgetGone(session, staged, scope);
  const invalid = await invalidKeys(session, staged);
  const classes = await classify(session, staged, scope, { read, invalid, wanted });
  await run.console('info', `Read ${read} records of the model: ${inWords(classes, countRecords(invalid))}`);
  await logInvalid(planning, invalid);
  return { classes, invalid };
}

async function logInvalid({ run, task }: Planning, keys: readonly InvalidKey[]): Promise<void> {
  let logged = 0;
  for (const invalid of keys) {
    const entry = invalidEntry(task, invalid);
    for (let occurrence = 0; occurrence < invalid.occurrences; occurrence++) {
      run.recordLog('errors', entry);
      // Out of memory: all records of a model may be invalid.
      if (++logged % entriesAtMost === 0) await run.commit({ hold: true });
    }
  }
}

/** What a dry run counts. `update` creates nothing: what it does not know yet may still be there to update. */
function expected(
  { inserts, updates }: Classes,
  invalid: number,
  { mode }: ModelSync,
): Record<string, number> {
  const sent = inserts + updates;
  const counted = { total: sent + invalid, error: invalid };
  if (mode === 'update') return { ...counted, update: sent };
  if (mode === 'append') return { ...counted, insert: sent };
  if (mode === 'remove') return { ...counted, delete: sent };
  return { ...counted, insert: inserts, update: updates };
}

function inWords({ inserts, updates, unchanged }: Classes, invalid: number): string {
  const parts = [`${inserts} new`, `${updates} changed or sent again`, `${unchanged} left as they are`];
  if (invalid > 0) parts.push(`${invalid} that cannot be sent`);
  return parts.join(', ');
}
