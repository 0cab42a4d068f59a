import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Use } from '../errors.ts';
import { syncsRunningAfter } from '../schedules/index.ts';

/** The syncs that use one of the models, or whose target the connection is. */
export async function modelSyncsUsing(
  db: Database,
  organizationId: string,
  { modelIds = [], connectionId = null }: { modelIds?: string[]; connectionId?: string | null },
): Promise<Use[]> {
  const { rows } = await sql<Use>`
    select 'sync' as type, name, id from model_syncs
    where organization_id = ${organizationId}
      and (model_ids && ${modelIds}::uuid[] or target_connection_id = ${connectionId}::uuid)
    order by name`.execute(db);
  return rows;
}

/** The syncs that start after a sync of either kind. */
export async function modelSyncsAfter(db: Database, organizationId: string, syncId: string): Promise<Use[]> {
  const ids = await syncsRunningAfter(db, organizationId, syncId);
  const { rows } = await sql<Use>`
    select 'sync' as type, name, id from model_syncs
    where organization_id = ${organizationId} and id = any(${ids}::uuid[]) order by name`.execute(db);
  return rows;
}
