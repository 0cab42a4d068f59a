import { sql } from 'kysely';
import type { ModelSyncMode } from '../connectors/index.ts';
import type { Staging } from './staging.ts';

export interface Scope {
  syncId: string;
  mode: ModelSyncMode;
  /** The baseline says something about the current target. */
  baselineApplies: boolean;
  /** Send every record, changed or not. */
  everything: boolean;
  /** Even what was created before is offered to be created again. */
  resync: boolean;
}

export interface Classes {
  /** Not in the baseline, or in it with another hash; those of them that are to be sent. */
  inserts: number;
  updates: number;
  /** Known and left alone. */
  unchanged: number;
  /** Identity NULL, or shared by several records. */
  invalid: number;
}

/** What the staged records are, compared with the baseline. Changes nothing. */
export async function classify(staging: Staging, scope: Scope): Promise<Classes> {
  const { rows } = await sql<Classes>`
    select
      count(*) filter (where valid and wanted and not known) as inserts,
      count(*) filter (where valid and wanted and known) as updates,
      count(*) filter (where valid and not wanted) as unchanged,
      coalesce(sum(occurrences) filter (where not valid), 0)::bigint as invalid
    from (${compared(scope)}) record`.execute(staging);
  const [classes] = rows;
  if (classes === undefined) throw new Error('an aggregate without grouping has one row');
  return classes;
}

/** Writes down the keys of the records to send, in order: an index takes sorted keys twice as fast. */
export async function writePlan(staging: Staging, scope: Scope, plan: number): Promise<void> {
  await sql`
    insert into model_sync_plan (sync_id, plan, record_key)
    select ${scope.syncId}::uuid, ${plan}::bigint, record_key
    from (${compared(scope)}) record
    where valid and wanted
    order by record_key`.execute(staging);
}

/** Takes what is there as acknowledged: later executions send only what changes after this. */
export async function writeBaseline(staging: Staging, syncId: string): Promise<void> {
  await sql`
    insert into model_sync_baseline (sync_id, record_key, hash)
    select ${syncId}::uuid, record_key, hash from (${grouped}) staged where valid
    order by record_key
    on conflict (sync_id, record_key) do update set hash = excluded.hash`.execute(staging);
}

/** The identities that cannot be sent, and how many records have each. */
export async function invalidKeys(staging: Staging): Promise<{ key: string | null; occurrences: number }[]> {
  const { rows } = await sql<{ key: string | null; occurrences: number }>`
    select record_key as key, occurrences from (${grouped}) staged
    where not valid order by record_key`.execute(staging);
  return rows;
}

const grouped = sql`
  select record_key, min(hash) as hash, count(*) as occurrences,
    record_key is not null and count(*) = 1 as valid
  from model_sync_staging group by record_key`;

function compared({ syncId, mode, baselineApplies, everything, resync }: Scope) {
  const wanted =
    resync || (everything && mode !== 'create')
      ? sql`true`
      : mode === 'create'
        ? sql`baseline.record_key is null`
        : sql`baseline.hash is distinct from staged.hash`;
  return sql`
    select staged.*, baseline.record_key is not null as known, ${wanted} as wanted
    from (${grouped}) staged
    left join model_sync_baseline baseline
      on ${baselineApplies} and baseline.sync_id = ${syncId} and baseline.record_key = staged.record_key`;
}
