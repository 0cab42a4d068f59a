import { type BaselineProgress, baselineTable } from './baseline.ts';
import { type Classes, counting, type InvalidKey, sendsAll } from './classify.ts';
import type { Planning } from './planning.ts';
import { askedKeys } from './read.ts';
import { stagedKeys } from './staging.ts';

/**
 * Takes what an execution is about to send out of the baseline, while the claim is held: from then on only an answer of
 * the destination brings it back. Its state there is in doubt as long as none has come, also where the record becomes what
 * was acknowledged before.
 */
export async function forgetOffered(
  { session, run, scope }: Planning,
  { number }: BaselineProgress,
): Promise<void> {
  const asked = askedKeys(run);
  const table = baselineTable(number);
  if (sendsAll(scope)) {
    // What was asked for and cannot be sent is in doubt, too.
    if (asked !== undefined)
      await session.query(`delete from ${table} where record_key = any($1::text[])`, [asked]);
    return;
  }
  await session.query(
    `delete from ${table} baseline using pg_temp.wanted
     where wanted.known and baseline.record_key = wanted.record_key`,
  );
}

/** Whether a whole model lacks records that the target has acknowledged. */
export async function haveGone(
  { session, run, scope: { baseline } }: Planning,
  { updates, unchanged }: Classes,
  invalid: readonly InvalidKey[],
): Promise<boolean> {
  if (baseline === undefined || askedKeys(run) !== undefined) return false;
  // Some of these may be known.
  if (invalid.length > 0) return true;
  const [row] = await session.query<{ known: number }>(
    `select count(*) as known from ${baseline.table} baseline where ${counting(baseline.acknowledged)}`,
  );
  return row?.known !== updates + unchanged;
}

/** A record that has left the model, or its filter, is offered again when it comes back. */
export async function forgetGone({ session }: Planning, { number }: BaselineProgress): Promise<void> {
  await session.query(
    `delete from ${baselineTable(number)} baseline
     where not exists (select from ${stagedKeys} staged where staged.record_key = baseline.record_key)`,
  );
}
