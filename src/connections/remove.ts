import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import { getConnection } from './store.ts';

/**
 * Deletes a connection; `force` takes the models and syncs that use it along.
 *
 * @throws connection_in_use without `force`, naming what uses it.
 */
export async function deleteConnection(
  db: Database,
  organizationId: string,
  id: string,
  force: boolean,
): Promise<void> {
  await getConnection(db, organizationId, id);
  await db.transaction().execute(async (tx) => {
    const { rows: users } = await sql<{ use: string }>`
      select 'model ' || name as use from models where connection_id = ${id}
      union all select 'sync ' || name from model_syncs where target_connection_id = ${id}
      union all select 'bulk sync ' || name from bulk_syncs
        where ${id} in (source_connection_id, destination_connection_id)
      limit 10`.execute(tx);
    if (users.length > 0 && !force) {
      throw new TidemarkError('connection_in_use', { used_by: users.map(({ use }) => use).join(', ') });
    }
    await tx
      .deleteFrom('connections')
      .where('organization_id', '=', organizationId)
      .where('id', '=', id)
      .execute();
  });
}
