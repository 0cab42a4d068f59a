import { sql } from 'kysely';
import type { RecordResult } from '../connectors/index.ts';
import type { Database, Session, Transaction } from '../db/index.ts';
import { isTooLong } from './classify.ts';
import type { DeliverCheckpoint } from './plan.ts';
import type { PlannedBatch } from './planned-batch.ts';
import type { KnownLife } from './target-life.ts';

/** What the destination of a sync has acknowledged, record by record: a table of its own. */
export interface Baseline {
  /** Of its table. */
  number: number;
  /** Of the mapping it was made under. */
  mappingDigest: string;
  /** Rows with a larger n have not been acknowledged yet; null: all have. */
  acknowledged: number | null;
  /** Of the target that acknowledged them; null where it is not known. */
  life: KnownLife | null;
}

/** How an execution moves the baseline. */
export interface BaselineProgress {
  number: number;
  /** See `mixedDigest`. */
  digest: string;
  /** It holds what is planned already: an answer only says up to where that counts. */
  filled: boolean;
}

/** Its number is one the database gave. */
export const baselineTable = (number: number) => `model_sync_baseline_${number}`;

/**
 * Undefined before the first plan, and when it is about another target.
 *
 * @param target see `Task.baselineTarget`.
 */
export async function currentBaseline(
  db: Database,
  syncId: string,
  target: string,
): Promise<Baseline | undefined> {
  const row = await db
    .selectFrom('model_sync_baselines')
    .select([
      'baseline',
      'acknowledged',
      'target_life',
      sql<string>`mapping_digest::text`.as('mapping_digest'),
    ])
    .where('sync_id', '=', syncId)
    .where('target', '=', target)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { baseline: number, mapping_digest: mappingDigest, acknowledged, target_life } = row;
  return { number, mappingDigest, acknowledged, life: target_life as KnownLife | null };
}

/** Makes an empty one, without an index. Until it has a target it means nothing. */
export async function createBaseline(
  session: Session,
  { syncId, executionId }: { syncId: string; executionId: string },
  mappingDigest: string,
): Promise<number> {
  const [row] = await session.query<{ baseline: number }>(
    `insert into model_sync_baselines (sync_id, execution_id, mapping_digest) values ($1, $2, $3)
     returning baseline`,
    [syncId, executionId, mappingDigest],
  );
  if (row === undefined) throw new Error('an insert returns its row');
  await session.query(
    `create table ${baselineTable(row.baseline)}
       (record_key text collate "C", hash bigint not null, n bigint, problem text)`,
  );
  return row.baseline;
}

/**
 * Once it is filled: an index that is there from the beginning takes several times as long.
 *
 * @param shrunk rows were deleted before. An index takes up what others may still see, so such a table is written anew: one
 *   old snapshot anywhere in the database, and an identity that was deleted for its length is too long for the index.
 * @returns false, and nothing is changed, when an identity is NULL, too long or not unique, or a record is not whole.
 */
export async function closeBaseline(session: Session, number: number, shrunk = false): Promise<boolean> {
  const table = baselineTable(number);
  const [row] = await session.query<{ sound: boolean }>(
    `select not exists (select from ${table} where record_key is null or problem is not null or ${isTooLong})
       as sound`,
  );
  if (row?.sound !== true) return false;
  try {
    const anew = shrunk ? 'alter column hash type bigint using hash + 0, ' : '';
    await session.query(`alter table ${table} drop column problem, ${anew}add primary key (record_key)`);
  } catch (error) {
    if ((error as { code?: unknown }).code !== uniqueViolation) throw error;
    return false;
  }
  return true;
}

const uniqueViolation = '23505';

/** @param acknowledged what is in it and counts, see `Baseline`. */
export async function useBaseline(
  tx: Transaction,
  number: number,
  target: string,
  acknowledged: number | null,
): Promise<void> {
  await tx
    .updateTable('model_sync_baselines')
    .set({ target, acknowledged })
    .where('baseline', '=', number)
    .execute();
}

/** @param life undefined where the target cannot tell. */
export async function noteLife(tx: Transaction, number: number, life: KnownLife | undefined): Promise<void> {
  if (life === undefined) return;
  const { made, stored, isEmpty } = life;
  await tx
    .updateTable('model_sync_baselines')
    .set({ target_life: JSON.stringify({ made, stored, isEmpty }) })
    .where('baseline', '=', number)
    .execute();
}

/** Another target knows none of the records the last one acknowledged. The table goes with the stale ones. */
export async function forgetBaseline(tx: Transaction, syncId: string): Promise<void> {
  await tx.updateTable('model_sync_baselines').set({ target: null }).where('sync_id', '=', syncId).execute();
}

/**
 * Hashes of a baseline are mixed with the digest of their mapping, so that another mapping changes every record, and with
 * that of the mapping it was made under: then a baseline is filled with hashes as they come from the source.
 */
export function mixedDigest(mappingDigest: string, made: string): string {
  return BigInt.asIntN(64, BigInt(mappingDigest) ^ BigInt(made)).toString();
}

/** None of it counts any more. */
export async function emptyBaseline(tx: Transaction, number: number): Promise<void> {
  await sql`truncate ${sql.table(baselineTable(number))}`.execute(tx);
  await tx
    .updateTable('model_sync_baselines')
    .set({ acknowledged: null })
    .where('baseline', '=', number)
    .execute();
}

/**
 * Notes what the destination has taken. Of a record that was refused, or that `update` or `remove` did not find, there is
 * no row afterwards, so that every later execution offers it again: the plan's own row does not count or is deleted here,
 * and an older one was deleted when the plan was made (`forget.ts`). One that `create` found already there is known from
 * now on.
 *
 * @param batch of the plan. @param results one per record, in order.
 */
export async function acknowledge(
  tx: Transaction,
  { baseline, task }: Pick<DeliverCheckpoint, 'baseline' | 'task'>,
  batch: PlannedBatch,
  results: readonly RecordResult[],
): Promise<void> {
  if (baseline === undefined) return;
  const table = sql.table(baselineTable(baseline.number));
  const { mode } = task.target;
  const left: number[] = [];
  const found: number[] = [];
  for (const [place, { status }] of results.entries()) {
    if (status === 'refused' || (status === 'skipped' && mode !== 'create')) left.push(place);
    else if (status === 'skipped') found.push(place);
  }
  if (baseline.filled) {
    const keysOf = (places: readonly number[]) => places.map((place) => batch.identity(place).key);
    if (left.length > 0)
      await sql`delete from ${table} where record_key = any(${keysOf(left)}::text[])`.execute(tx);
    // It may have been here before a takeover.
    if (found.length > 0)
      await sql`update ${table} set hash = ~hash, n = null
        where record_key = any(${keysOf(found)}::text[]) and n is not null`.execute(tx);
    await tx
      .updateTable('model_sync_baselines')
      .set({ acknowledged: batch.last })
      .where('baseline', '=', baseline.number)
      .execute();
    return;
  }
  if (left.length === batch.length) return;
  const without = new Set(left);
  const taken = batch.ends.map((_, place) => place).filter((place) => !without.has(place));
  const records = taken.map((place) => batch.identity(place));
  // What `create` found there is not the source's: noted with a hash that never matches, so that another mode
  // of the same sync still brings it up to date.
  const others = new Set(found);
  const inverted = taken.map((place) => others.has(place));
  // There may be a row that does not count: of an execution that did not come so far.
  await sql`
    insert into ${table} (record_key, hash)
    select record_key, (case when inverted then ~hash else hash end) # ${baseline.digest}::bigint
    from unnest(${records.map(({ key }) => key)}::text[], ${records.map(({ hash }) => hash)}::bigint[],
      ${inverted}::boolean[]) as taken (record_key, hash, inverted)
    order by record_key
    on conflict (record_key) do update set hash = excluded.hash, n = null`.execute(tx);
}
