import type { ModelDestination, TargetLife } from '../connectors/index.ts';
import type { Session } from '../db/index.ts';
import { counting, type KnownRecords } from './classify.ts';
import type { ModelSync } from './model-sync.ts';
import type { Task } from './task.ts';

/** What is remembered of a life with the baseline. */
export type KnownLife = Pick<TargetLife, 'made' | 'stored' | 'isEmpty'>;

/** Mode `replace` compares with the target as it is. */
export async function lifeOf(
  destination: ModelDestination,
  { target }: Task,
): Promise<TargetLife | undefined> {
  return target.mode === 'replace' ? undefined : destination.life?.(target);
}

/**
 * Why what the target has acknowledged is not there any more, for the console log; undefined as long as nothing says so.
 *
 * Rows that others delete are theirs to delete, so that it takes all of them, or a table that is another one. In mode
 * `append` a target may be worked off and be empty every time: there it has to have been emptied at once or made new,
 * where the system tells that. What mode `remove` has removed is not there anyway.
 */
export async function whyLost(
  session: Session,
  { mode, skipInitialBackfill }: Pick<ModelSync, 'mode' | 'skipInitialBackfill'>,
  baseline: KnownRecords,
  before: KnownLife | null,
  life: TargetLife,
): Promise<string | undefined> {
  const [row] = await session.query<{ known: boolean }>(
    `select exists (select from ${baseline.table} baseline where ${counting(baseline.acknowledged)}) as known`,
  );
  if (row?.known !== true) return undefined;
  const differs = (name: 'made' | 'stored') =>
    before?.[name] !== undefined && life[name] !== undefined && before[name] !== life[name];
  const [isNew, isMoved] = [differs('made'), differs('stored')];
  const tells = life.made !== undefined || life.stored !== undefined;
  // What was only taken note of need never have been there.
  const mayBeEmpty = skipInitialBackfill && before?.isEmpty !== false;
  if (mode === 'append') {
    if (!life.isEmpty || (tells && !isNew && !isMoved)) return undefined;
    if (isNew) return 'it was made new';
    return mayBeEmpty ? undefined : 'it is empty';
  }
  if (isNew) return 'it was made new';
  if (mode === 'remove') return undefined;
  if (life.isEmpty) return mayBeEmpty ? undefined : 'it is empty';
  if (!isMoved || life.rows === undefined) return undefined;
  const [count] = await session.query<{ known: number }>(
    `select count(*) as known from ${baseline.table} baseline where ${counting(baseline.acknowledged)}`,
  );
  const [there, known] = [await life.rows(), count?.known ?? 0];
  return there < known ? `it was emptied, and has ${there} rows where it took ${known} records` : undefined;
}
