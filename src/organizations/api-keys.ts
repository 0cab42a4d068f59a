import type { Database } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import { isUuid } from '../lib/uuid.ts';
import { hashKey } from './caller.ts';
import { getUser } from './users.ts';

/** What is known of a key besides its hash. */
export interface ApiKey {
  id: string;
  userId: string;
  /** Null for keys that were made without one. */
  name: string | null;
  createdAt: string;
}

/**
 * Adds a key to those of a user and returns it, the only time it can be seen. The others go on working, so that whoever
 * uses one can change over.
 */
export async function addApiKey(
  db: Database,
  { organizationId, userId, name }: { organizationId: string; userId: string; name?: string | undefined },
): Promise<{ id: string; key: string }> {
  await getUser(db, organizationId, userId);
  const key = crypto.randomUUID();
  const { id } = await db
    .insertInto('api_keys')
    .values({ hash: hashKey(key), user_id: userId, organization_id: organizationId, name: name ?? null })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, key };
}

/**
 * As the API does it: the user's only key.
 *
 * @param force revokes the user's other keys. @throws forbidden when there is one and `force` is not set.
 */
export async function createApiKey(
  db: Database,
  organizationId: string,
  userId: string,
  force: boolean,
): Promise<string> {
  await getUser(db, organizationId, userId);
  return db.transaction().execute(async (tx) => {
    // Locks the user, so that two calls cannot both find no key.
    await tx.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute();
    if (force) await tx.deleteFrom('api_keys').where('user_id', '=', userId).execute();
    const [existing] = await listApiKeys(tx, [userId]);
    if (existing !== undefined) {
      throw new TidemarkError('forbidden', { reason: 'This user has an API key; force=true revokes it' });
    }
    return (await addApiKey(tx, { organizationId, userId })).key;
  });
}

/** Oldest first. */
export async function listApiKeys(db: Database, userIds: readonly string[]): Promise<ApiKey[]> {
  if (userIds.length === 0) return [];
  return db
    .selectFrom('api_keys')
    .select(['id', 'user_id as userId', 'name', 'created_at as createdAt'])
    .where('user_id', 'in', userIds)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** From now on it opens nothing. @throws not_found */
export async function revokeApiKey(db: Database, id: string): Promise<void> {
  const revoked = isUuid(id)
    ? await db.deleteFrom('api_keys').where('id', '=', id).returning('id').executeTakeFirst()
    : undefined;
  if (revoked === undefined) throw notFound('API key', id);
}
