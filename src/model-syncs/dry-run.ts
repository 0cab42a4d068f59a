import { type Classes, countRecords } from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import { compare, type Planning } from './planning.ts';

export async function dryRun(planning: Planning): Promise<undefined> {
  const { run, sync } = planning;
  const { classes, invalid } = await compare(planning);
  await run.commit({ counts: expected(classes, countRecords(invalid), sync) });
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
