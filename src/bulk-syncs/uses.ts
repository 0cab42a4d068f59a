import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Use } from '../errors.ts';

/** The bulk syncs that read from a connection or write to it. */
export async function bulkSyncsUsing(
  db: Database,
  organizationId: string,
  connectionId: string,
): Promise<Use[]> {
  const { rows } = await sql<Use>`
    select 'bulk_sync' as type, name, id from bulk_syncs
    where organization_id = ${organizationId}
      and ${connectionId}::uuid in (source_connection_id, destination_connection_id)
    order by name`.execute(db);
  return rows;
}
