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

export interface Classes {
  /** Not in the baseline, or in it with another hash; those of them that are to be sent. */
  inserts: number;
  updates: number;
  /** Known and left alone. */
  unchanged: number;
  /** Identity NULL or shared by several records, or not whole. */
  invalid: number;
}

/** Whether every record is sent that can be, so that there is nothing to find out first. */
export function sendsAll({ mode, baselineApplies, everything, resync }: Scope): boolean {
  return !baselineApplies || resync || (everything && mode !== 'create');
}

/**
 * What the staged records are, compared with the baseline.
 *
 * @param staged a table with record_key, hash and problem.
 * @param wanted a table for the keys of the records to send, of the same comparison.
 */
export async function classify(
  session: Session,
  staged: string,
  scope: Scope,
  wanted?: string,
): Promise<Classes> {
  const kept =
    wanted === undefined
      ? ''
      : `, kept as (insert into ${wanted} select record_key from compared where valid and wanted)`;
  const [classes] = await session.query<Classes & Record<string, number>>(
    `with compared as (${compared(staged, scope)})${kept}
     select
       count(*) filter (where valid and wanted and not known) as inserts,
       count(*) filter (where valid and wanted and known) as updates,
       count(*) filter (where valid and not wanted) as unchanged,
       coalesce(sum(occurrences) filter (where not valid), 0)::bigint as invalid
     from compared`,
  );
  if (classes === undefined) throw new Error('an aggregate without grouping has one row');
  return classes;
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

/** The identities that cannot be sent, and how many records have each. */
export function invalidKeys(session: Session, staged: string): Promise<InvalidKey[]> {
  return session.query<InvalidKey & Record<string, unknown>>(
    `select record_key as key, occurrences, problem from (${grouped(staged)}) staged where not valid order by record_key`,
  );
}

/** Takes what is there as acknowledged: later executions send only what changes after this. */
export async function writeBaseline(session: Session, staged: string, scope: Scope): Promise<void> {
  await session.query(
    `insert into model_sync_baseline (sync_id, record_key, hash)
     select $1::uuid, record_key, hash # $2::bigint from (${grouped(staged)}) staged where valid
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

/** Ids and numbers of our own making, so they can be in the text. */
function compared(staged: string, scope: Scope): string {
  const { syncId, mode, baselineApplies, mappingDigest } = scope;
  const wanted = sendsAll(scope)
    ? 'true'
    : createsOrRemoves(mode)
      ? 'baseline.record_key is null'
      : `baseline.hash is distinct from staged.hash # ${mappingDigest}::bigint`;
  if (!baselineApplies)
    return `select staged.*, false as known, ${wanted} as wanted from (${grouped(staged)}) staged`;
  return `select staged.*, baseline.record_key is not null as known, ${wanted} as wanted
    from (${grouped(staged)}) staged
    left join model_sync_baseline baseline
      on baseline.sync_id = '${syncId}' and baseline.record_key = staged.record_key`;
}
