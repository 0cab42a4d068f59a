import type { ModelSyncMode } from '../connectors/index.ts';
import type { Session } from '../db/index.ts';

export interface Scope {
  syncId: string;
  mode: ModelSyncMode;
  /** The baseline says something about the current target. */
  baselineApplies: boolean;
  /** Send every record, changed or not. */
  everything: boolean;
  /** Even what was created before is offered to be created again. */
  resync: boolean;
  /** Signed 64-bit number, mixed into every hash so that another mapping changes every record. */
  mappingDigest: string;
}

/** Of the records that can be sent. */
export interface Classes {
  /** Not in the baseline, or in it with another hash; those of them that are to be sent. */
  inserts: number;
  updates: number;
  /** Known and left alone. */
  unchanged: number;
}

/** Whether every record is sent that can be, so that there is nothing to find out first. */
export function sendsAll({ mode, baselineApplies, everything, resync }: Scope): boolean {
  return !baselineApplies || resync || (everything && mode !== 'create');
}

/**
 * What the staged records are, compared with the baseline.
 *
 * @param staged a table with record_key, hash and problem.
 * @param read records in it.
 * @param invalid identities in it that cannot be sent.
 * @param wanted a table for the keys of the records to send, and whether they are known.
 */
export async function classify(
  session: Session,
  staged: string,
  scope: Scope,
  { read, invalid, wanted }: { read: number; invalid: readonly InvalidKey[]; wanted?: string | undefined },
): Promise<Classes> {
  const valid = read - countRecords(invalid);
  if (!scope.baselineApplies) return { inserts: valid, updates: 0, unchanged: 0 };
  const toSend = compared(validOf(staged, invalid), scope);
  const [sent] = await session.query<{ inserts: number; updates: number }>(
    `${wanted === undefined ? `with sent as (${toSend})` : `with sent as (insert into ${wanted} ${toSend} returning known)`}
     select count(*) filter (where not known) as inserts, count(*) filter (where known) as updates from sent`,
  );
  if (sent === undefined) throw new Error('an aggregate without grouping has one row');
  return { ...sent, unchanged: valid - sent.inserts - sent.updates };
}

/** Done once per record, whatever becomes of its fields. */
function createsOrRemoves(mode: ModelSyncMode): boolean {
  return mode === 'create' || mode === 'remove';
}

export interface InvalidKey {
  key: string | null;
  occurrences: number;
  /** Of the record, or of one of them. */
  problem: string | null;
}

export function countRecords(invalid: readonly InvalidKey[]): number {
  return invalid.reduce((sum, { occurrences }) => sum + occurrences, 0);
}

/** The identities that cannot be sent, and how many records have each. */
export async function invalidKeys(session: Session, staged: string): Promise<InvalidKey[]> {
  if (await allValid(session, staged)) return [];
  return session.query<InvalidKey & Record<string, unknown>>(
    `select record_key as key, occurrences, problem from (${grouped(staged)}) staged where not valid order by record_key`,
  );
}

/**
 * As it mostly is. To sort hashes of the identities takes a third of the time of grouping by them; two identities with
 * one hash only mean that they are grouped after all. A subquery of one column, so that nothing else is sorted with it.
 */
async function allValid(session: Session, staged: string): Promise<boolean> {
  const [row] = await session.query<{ valid: boolean }>(
    `select count(*) = count(distinct identity) as valid from (
       select case when problem is null then hashtextextended(record_key, 0) end as identity
       from ${staged} offset 0) staged`,
  );
  return row?.valid === true;
}

/** Takes what is there as acknowledged: later executions send only what changes after this. */
export async function writeBaseline(
  session: Session,
  staged: string,
  scope: Scope,
  invalid: readonly InvalidKey[],
): Promise<void> {
  await session.query(
    `insert into model_sync_baseline (sync_id, record_key, hash)
     select $1::uuid, record_key, hash # $2::bigint from ${validOf(staged, invalid)} staged
     order by record_key
     on conflict (sync_id, record_key) do update set hash = excluded.hash`,
    [scope.syncId, scope.mappingDigest],
  );
}

/** A record that has left the model is offered again should it come back. */
export async function forgetGone(session: Session, staged: string, { syncId }: Scope): Promise<void> {
  await session.query(
    `delete from model_sync_baseline baseline where sync_id = $1
       and not exists (select from ${staged} staged where staged.record_key = baseline.record_key)`,
    [syncId],
  );
}

function grouped(staged: string): string {
  return `select record_key, min(hash) as hash, count(*) as occurrences,
      max(problem) as problem, record_key is not null and count(*) = 1 and max(problem) is null as valid
    from ${staged} group by record_key`;
}

/** @param invalid all of them. */
function validOf(staged: string, invalid: readonly InvalidKey[]): string {
  if (invalid.length === 0) return staged;
  return `(select record_key, hash from (${grouped(staged)}) staged where valid)`;
}

/** Keys of the records to send, and whether they are known. Ids and numbers of our own making can be in the text. */
function compared(staged: string, scope: Scope): string {
  const { syncId, mode, mappingDigest } = scope;
  const wanted = sendsAll(scope)
    ? 'true'
    : createsOrRemoves(mode)
      ? 'baseline.record_key is null'
      : `baseline.hash is distinct from staged.hash # ${mappingDigest}::bigint`;
  return `select staged.record_key, baseline.record_key is not null as known
    from ${staged} staged
    left join model_sync_baseline baseline
      on baseline.sync_id = '${syncId}' and baseline.record_key = staged.record_key
    where ${wanted}`;
}
