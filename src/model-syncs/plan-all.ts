import type { Session } from '../db/index.ts';
import { markAlike } from './alike.ts';
import { type BaselineProgress, baselineTable, closeBaseline, noteLife, useBaseline } from './baseline.ts';
import { countRecords, groupInvalid, type InvalidKey, markTooLong, takeInvalid } from './classify.ts';
import { setAside } from './planned-records.ts';
import { newBaseline, type Planned, type Planning, stagedInvalid, tell } from './planning.ts';
import { readKeys, readRecords } from './read.ts';
import { createStagedKeys, planRecords, stagedKeys, stageKeys } from './staging.ts';

/** One read is enough: what is read is what is sent. */
export async function planAll(
  planning: Planning,
  plan: number,
  baseline: BaselineProgress | undefined,
): Promise<Planned> {
  const { db, run, session, source, task } = planning;
  const filled = baseline?.filled === true ? baseline : undefined;
  if (filled === undefined) await createStagedKeys(session);
  const keys = filled === undefined ? stagedKeys : baselineTable(filled.number);
  const read = await planRecords({ db, session }, { plan, keys }, readRecords(run, source, task.query));
  // Few may be asked for by identity: the baseline is then not to be read as a whole.
  if (filled === undefined) await session.query(`analyze ${keys}`);
  await markAlike(planning, keys);
  const invalid =
    filled === undefined
      ? await stagedInvalid(planning, keys)
      : await closedOrInvalid(session, filled.number);
  await tell(planning, keys, read, invalid);
  if (invalid.length > 0) {
    await setAside(db, plan, takeInvalid(session, keys));
    if (filled !== undefined) await closeBaseline(session, filled.number, true);
  }
  const invalidRecords = countRecords(invalid);
  return { records: read - invalidRecords, invalid: invalidRecords, leaves: false };
}

/** Its index finds what is there twice. */
async function closedOrInvalid(session: Session, baseline: number): Promise<InvalidKey[]> {
  if (await closeBaseline(session, baseline)) return [];
  await markTooLong(session, baselineTable(baseline));
  return groupInvalid(session, baselineTable(baseline));
}

/** `skip_initial_backfill`: the first execution about a target sends nothing. */
export async function takeNote(planning: Planning): Promise<undefined> {
  const { run, session, source, task } = planning;
  const { number } = await newBaseline(planning, false);
  const table = baselineTable(number);
  const read = await stageKeys(session, table, readKeys(run, source, task.query));
  await markAlike(planning, table);
  const invalid = await closedOrInvalid(session, number);
  await tell(planning, table, read, invalid);
  if (invalid.length > 0) {
    await Array.fromAsync(takeInvalid(session, table));
    await closeBaseline(session, number, true);
  }
  await run.commit({ counts: { total: countRecords(invalid), error: countRecords(invalid) } }, (tx) =>
    useBaseline(tx, number, task.baselineTarget, null).then(() => noteLife(tx, number, planning.life)),
  );
  await run.console('info', 'First execution: every record was noted, none sent (skip_initial_backfill)');
}
