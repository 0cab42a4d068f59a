import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { notFound, TidemarkError, unprocessable } from '../errors.ts';
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
  /** From then on it opens nothing. Null: never. */
  expiresAt: string | null;
  /** It is the one of TIDEMARK_API_KEY. */
  configured: boolean;
}

export interface ApiKeySettings {
  name?: string | undefined;
  /** A timestamp to come. */
  expiresAt?: string | undefined;
}

/** Keys that a user has at most: who needs more has forgotten to revoke some. */
export const mostKeys = 50;

/**
 * Adds a key to those of a user and returns it, the only time it can be seen. The others go on working, so that whoever
 * uses one can change over.
 */
export async function addApiKey(
  db: Database,
  { organizationId, userId, name, expiresAt }: { organizationId: string; userId: string } & ApiKeySettings,
): Promise<{ id: string; key: string }> {
  await getUser(db, organizationId, userId);
  if (expiresAt !== undefined) {
    const { rows } = await sql`select where ${expiresAt}::timestamptz > now()`.execute(db);
    if (rows.length === 0) throw unprocessable('expires_at', `${expiresAt} is not to come`);
  }
  const held = await listApiKeys(db, [userId]);
  if (held.length >= mostKeys) {
    throw new TidemarkError('forbidden', { reason: `This user has ${mostKeys} API keys: revoke some first` });
  }
  const key = crypto.randomUUID();
  const { id } = await db
    .insertInto('api_keys')
    .values({
      hash: hashKey(key),
      user_id: userId,
      organization_id: organizationId,
      name: name ?? null,
      expires_at: expiresAt ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id, key };
}

/**
 * As clients of the API do it that know of one key: the user's only one.
 *
 * @param force revokes the user's other keys, but that of TIDEMARK_API_KEY, which is the configuration's.
 * @throws forbidden when there is one and `force` is not set.
 */
export async function createApiKey(
  db: Database,
  organizationId: string,
  userId: string,
  force: boolean,
): Promise<{ id: string; key: string }> {
  await getUser(db, organizationId, userId);
  return db.transaction().execute(async (tx) => {
    // Locks the user, so that two calls cannot both find no key.
    const user = await tx
      .selectFrom('users')
      .select('id')
      .where('id', '=', userId)
      .forUpdate()
      .executeTakeFirst();
    if (user === undefined) throw notFound('user', userId);
    if (force) {
      await tx.deleteFrom('api_keys').where('user_id', '=', userId).where('configured', '=', false).execute();
    }
    const others = (await listApiKeys(tx, [userId])).filter(({ configured }) => !force || !configured);
    if (others.length > 0) {
      const reason = 'This user has an API key; force=true revokes it, and a name adds another one';
      throw new TidemarkError('forbidden', { reason });
    }
    return addApiKey(tx, { organizationId, userId });
  });
}

/** Oldest first. */
export async function listApiKeys(db: Database, userIds: readonly string[]): Promise<ApiKey[]> {
  if (userIds.length === 0) return [];
  return db
    .selectFrom('api_keys')
    .select(['id', 'user_id as userId', 'name', 'created_at as createdAt'])
    .select(['expires_at as expiresAt', 'configured'])
    .where('user_id', 'in', userIds)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** From now on it opens nothing. @param userId whose it has to be. @throws not_found */
export async function revokeApiKey(db: Database, id: string, userId?: string): Promise<void> {
  const revoked = isUuid(id)
    ? await db
        .deleteFrom('api_keys')
        .where('id', '=', id)
        .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
        .returning('id')
        .executeTakeFirst()
    : undefined;
  if (revoked === undefined) throw notFound('API key', id);
}
