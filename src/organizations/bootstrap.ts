import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { hashKey } from './caller.ts';

export interface Bootstrapped {
  organizationId: string;
  userId: string;
  /** The configured key, or the one made now. Undefined when it was made at an earlier start: only its hash is known. */
  apiKey: string | undefined;
}

/** Any constant: it serializes servers that start at the same time. */
const advisoryLock = 0x7469_6466;

/**
 * First start: one organization, an administrator and an API key. Later starts change nothing, except that a
 * configured key is made to work if it does not yet.
 *
 * @param keep stores a key that was made now. Called before the commit: a crash leaves a stored key that does
 *   not work and is replaced at the next start, never a working one that nobody knows.
 */
export async function bootstrap({
  db,
  apiKey,
  keep = async () => {},
}: {
  db: Database;
  apiKey?: string | undefined;
  keep?: (apiKey: string) => Promise<void>;
}): Promise<Bootstrapped> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(tx);
    const existing = await tx
      .selectFrom('users')
      .select(['id', 'organization_id'])
      .orderBy('created_at')
      .orderBy('id')
      .limit(1)
      .executeTakeFirst();
    if (existing !== undefined && apiKey === undefined) {
      return { organizationId: existing.organization_id, userId: existing.id, apiKey: undefined };
    }
    const user = existing ?? (await createFirstUser(tx));
    const key = apiKey ?? crypto.randomUUID();
    await tx
      .insertInto('api_keys')
      .values({
        hash: hashKey(key),
        user_id: user.id,
        organization_id: user.organization_id,
        name: apiKey === undefined ? 'first start' : 'TIDEMARK_API_KEY',
      })
      .onConflict((conflict) => conflict.column('hash').doNothing())
      .execute();
    if (apiKey === undefined) await keep(key);
    return { organizationId: user.organization_id, userId: user.id, apiKey: key };
  });
}

async function createFirstUser(tx: Database): Promise<{ id: string; organization_id: string }> {
  const organization = await tx
    .insertInto('organizations')
    .values({ name: 'Default' })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ updated_at: sql<string>`now()` }))
    .returning('id')
    .executeTakeFirstOrThrow();
  return tx
    .insertInto('users')
    .values({ organization_id: organization.id, email: 'admin@localhost', role: 'admin' })
    .returning(['id', 'organization_id'])
    .executeTakeFirstOrThrow();
}
