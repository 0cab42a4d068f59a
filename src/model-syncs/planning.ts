import type { AlikeIdentities, ModelDestination, TargetLife } from '../connectors/index.ts';
import type { Database, Session } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { RecordSource } from '../models/index.ts';
import { markAlike } from './alike.ts';
import { type BaselineProgress, closeBaseline, createBaseline, mixedDigest } from './baseline.ts';
import {
  type Classes,
  classify,
  countRecords,
  type InvalidKey,
  invalidKeys,
  markTooLong,
  type Scope,
} from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import { askedKeys, readKeys } from './read.ts';
import { invalidEntry } from './record-entries.ts';
import { createStagedKeys, stagedKeys, stageKeys } from './staging.ts';
import type { Task } from './task.ts';

export interface Planning {
  db: Database;
  run: Run;
  session: Session;
  source: RecordSource;
  sync: ModelSync;
  task: Task;
  scope: Scope;
  /** Undefined where the target tells all identities apart. */
  alike: AlikeIdentities | undefined;
  destination: ModelDestination;
  /** Of the target, now. */
  life: TargetLife | undefined;
}

export interface Planned {
  /** In the plan. */
  records: number;
  invalid: number;
  /** Some that the target has acknowledged may have left the model. */
  leaves: boolean;
}

/** A new baseline, to be filled with what is planned, or empty where that is not all. */
export async function newBaseline(
  { run, session, sync, task }: Planning,
  asked: boolean,
): Promise<BaselineProgress> {
  const by = { syncId: sync.id, executionId: run.execution.id };
  const number = await createBaseline(session, by, task.mappingDigest);
  if (asked) await closeBaseline(session, number);
  return { number, digest: mixedDigest(task.mappingDigest, task.mappingDigest), filled: !asked };
}

/** Log entries that are kept in memory at most. */
const entriesAtMost = 5_000;

/** @param wanted a table for the keys of the records to send. */
export async function compare(
  planning: Planning,
  wanted?: string,
): Promise<{ classes: Classes; invalid: InvalidKey[] }> {
  const { run, session, source, task } = planning;
  await createStagedKeys(session);
  const read = await stageKeys(session, stagedKeys, readKeys(run, source, task.query));
  await session.query(`analyze ${stagedKeys}`);
  await markAlike(planning, stagedKeys);
  const invalid = await stagedInvalid(planning, stagedKeys);
  return { classes: await tell(planning, stagedKeys, read, invalid, wanted), invalid };
}

/** The identities that cannot be sent. Replacing remembers none, so that they may have any length. */
export async function stagedInvalid({ session, sync }: Planning, staged: string): Promise<InvalidKey[]> {
  if (sync.mode !== 'replace') await markTooLong(session, staged);
  return invalidKeys(session, staged);
}

/** What the staged records are, told, with an error for each that cannot be sent. */
export async function tell(
  planning: Planning,
  staged: string,
  read: number,
  invalid: readonly InvalidKey[],
  wanted?: string,
): Promise<Classes> {
  const { run, session, scope } = planning;
  const classes = await classify(session, staged, scope, { read, invalid, wanted });
  await run.console('info', `Read ${read} records of the model: ${inWords(classes, countRecords(invalid))}`);
  await tellUnknown(planning, staged);
  await logInvalid(planning, invalid);
  return classes;
}

/** Identities that are named at most: those who asked have the list. */
const unknownNamed = 10;

/** An execution for some records says which of them the model does not have. */
async function tellUnknown({ run, session }: Planning, staged: string): Promise<void> {
  const asked = askedKeys(run);
  if (asked === undefined) return;
  const rows: { key: string }[] = await session.query(
    `select key from unnest($1::text[]) key where not exists (select from ${staged} where record_key = key)`,
    // What has U+0000 is no text of PostgreSQL's, and told of where it is found.
    [asked.filter((key) => !key.includes('\0'))],
  );
  if (rows.length === 0) return;
  const named = rows.slice(0, unknownNamed).map(({ key }) => JSON.stringify(key));
  if (rows.length > named.length) named.push('…');
  const whole = `${rows.length} of the ${asked.length} identities that were asked for are not in the model`;
  await run.console('warn', `${whole}: ${named.join(', ')}`);
}

export async function logInvalid({ run, task }: Planning, keys: readonly InvalidKey[]): Promise<void> {
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

function inWords({ inserts, updates, unchanged }: Classes, invalid: number): string {
  const parts = [`${inserts} new`, `${updates} changed or sent again`, `${unchanged} left as they are`];
  if (invalid > 0) parts.push(`${invalid} that cannot be sent`);
  return parts.join(', ');
}
