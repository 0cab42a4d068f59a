import type { Database } from '../db/index.ts';
import { getConnection } from './store.ts';

/** Deletes a connection. What uses it has to be gone: it would be deleted without an end to what it runs. */
export async function deleteConnection(db: Database, organizationId: string, id: string): Promise<void> {
  await getConnection(db, organizationId, id);
  await db
    .deleteFrom('connections')
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
}
