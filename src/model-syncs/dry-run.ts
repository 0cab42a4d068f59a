import { decodeCopyText } from '../lib/copy-text.ts';
import { type Classes, countRecords } from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import { compare, type Planning } from './planning.ts';
import { presence } from './presence.ts';
import { stagedKeys } from './staging.ts';

export async function dryRun(planning: Planning): Promise<undefined> {
  const { run, sync } = planning;
  const { classes, invalid } = await compare(planning);
  const counts = expected(classes, countRecords(invalid), sync);
  if (sync.mode === 'replace') {
    const deletes = await replacedAway(planning, classes.inserts + countRecords(invalid));
    if (deletes !== undefined) {
      counts.delete = deletes.count;
      await run.console(
        'info',
        `Replacing would delete ${deletes.atLeast ? 'at least ' : ''}${deletes.count} rows of the target`,
      );
    }
  }
  await run.commit({ counts });
  await run.console('info', 'Dry run: nothing was sent');
}

/**
 * What a dry run counts. `update` creates nothing: what it does not know yet may still be there to update. `create` updates
 * nothing: what it offers once more is left alone where it is there.
 */
function expected(
  { inserts, updates }: Classes,
  invalid: number,
  { mode }: ModelSync,
): Record<string, number> {
  const sent = inserts + updates;
  const counted = { total: sent + invalid, error: invalid };
  if (mode === 'update') return { ...counted, update: sent };
  if (mode === 'create') return { ...counted, insert: inserts };
  if (mode === 'append') return { ...counted, insert: sent };
  if (mode === 'remove') return { ...counted, delete: sent };
  return { ...counted, insert: inserts, update: updates };
}

/**
 * Rows of the target that the model does not have. Without an identity, or where identities cannot be looked up, only
 * their number says something.
 */
async function replacedAway(
  { session, task, destination }: Planning,
  records: number,
): Promise<{ count: number; atLeast: boolean } | undefined> {
  const rows = await (await destination.life?.(task.target))?.rows?.();
  if (rows === undefined || !Number.isFinite(rows)) return undefined;
  // Whole records are compared as files, by what holds them.
  const { identity, fields } = task.target;
  if (identity === undefined || fields.some(({ target }) => target === identity)) {
    return { count: Math.max(0, rows - records), atLeast: true };
  }
  const probe = await presence(destination, task);
  let there = 0;
  const keys = session.copyOut(
    `copy (select distinct record_key from ${stagedKeys} where record_key is not null) to stdout`,
  );
  for await (const some of decodeCopyText(keys)) {
    const texts = some.flatMap(([key]) => key ?? []);
    for (let at = 0; at < texts.length; at += probe.batchSize) {
      there += await probe.count(texts.slice(at, at + probe.batchSize));
    }
  }
  return { count: Math.max(0, rows - there), atLeast: false };
}
