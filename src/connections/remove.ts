import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { getConnection } from './store.ts';

/** How to delete what uses a connection, so that it ends first what is running. */
export interface DeleteUsers {
  modelSync(id: string): Promise<void>;
  bulkSync(id: string): Promise<void>;
}

/**
 * Deletes a connection. With `force` the models and syncs that use it go with it.
 *
 * @throws connection_in_use without `force`, naming what uses it.
 */
export async function deleteConnection(
  db: Database,
  organizationId: string,
  id: string,
  force?: DeleteUsers,
): Promise<void> {
  await getConnection(db, organizationId, id);
  if (force !== undefined) await deleteSyncs(db, id, force);
  await db.transaction().execute(async (tx) => {
    const { rows: users } = await sql<{ use: string }>`
      select 'model ' || name as use from models where ${usesOf(id)}
      union all select 'sync ' || name from model_syncs where target_connection_id = ${id}
      union all select 'bulk sync ' || name from bulk_syncs
        where ${id} in (source_connection_id, destination_connection_id)
      limit 10`.execute(tx);
    if (users.length > 0 && force === undefined) {
      throw new TidemarkError('connection_in_use', { used_by: users.map(({ use }) => use).join(', ') });
    }
    await sql`delete from models where ${usesOf(id)}`.execute(tx);
    await tx
      .deleteFrom('connections')
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
  });
}

/** Of a model: its records come from the connection, or more about them is looked up there. */
function usesOf(connectionId: string) {
  return sql`(connection_id = ${connectionId} or definition -> 'enricher' ->> 'connectionId' = ${connectionId})`;
}

/** Those that write to the connection or read from it, through a model, too. */
async function deleteSyncs(db: Database, connectionId: string, users: DeleteUsers): Promise<void> {
  const { rows } = await sql<{ kind: keyof DeleteUsers; id: string }>`
    select 'modelSync' as kind, id from model_syncs where target_connection_id = ${connectionId}
      or model_ids && array(select id from models where ${usesOf(connectionId)})
    union all select 'bulkSync', id from bulk_syncs
      where ${connectionId} in (source_connection_id, destination_connection_id)`.execute(db);
  for (const { kind, id } of rows) await users[kind](id);
}
