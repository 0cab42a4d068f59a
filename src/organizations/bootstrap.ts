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
 * configured key takes the place of the one that was configured before. All of it is of the first organization, whoever is
 * still in it: the operator's key is never another tenant's.
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
    const organizationId = await ownerOf(tx);
    const existing = await administratorOf(tx, organizationId);
    const userId = existing ?? (await createAdministrator(tx, organizationId));
    if (existing !== undefined && apiKey === undefined) return { organizationId, userId, apiKey };
    const key = apiKey ?? crypto.randomUUID();
    const configured = apiKey !== undefined;
    if (configured) {
      await tx
        .deleteFrom('api_keys')
        .where('configured', '=', true)
        .where('hash', '<>', hashKey(key))
        .execute();
    }
    const row = {
      user_id: userId,
      organization_id: organizationId,
      name: configured ? 'TIDEMARK_API_KEY' : 'first start',
      configured,
      expires_at: null,
    };
    await tx
      .insertInto('api_keys')
      .values({ hash: hashKey(key), ...row })
      .onConflict((conflict) => conflict.column('hash').doUpdateSet(row))
      .execute();
    if (!configured) await keep(key);
    return { organizationId, userId, apiKey: key };
  });
}

/** The organization of the first start, which is made then. It cannot be deleted. */
async function ownerOf(tx: Database): Promise<string> {
  const owner = await tx
    .selectFrom('organizations')
    .select('id')
    .where('is_owner', '=', true)
    .executeTakeFirst();
  if (owner !== undefined) return owner.id;
  const { id } = await tx
    .insertInto('organizations')
    .values({ name: 'Default', is_owner: true })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ is_owner: true, updated_at: sql<string>`now()` }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

async function administratorOf(tx: Database, organizationId: string): Promise<string | undefined> {
  const user = await tx
    .selectFrom('users')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('role', '=', 'admin')
    .orderBy('created_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  return user?.id;
}

async function createAdministrator(tx: Database, organizationId: string): Promise<string> {
  const { id } = await tx
    .insertInto('users')
    .values({ organization_id: organizationId, email: 'admin@localhost', role: 'admin' })
    .onConflict((conflict) =>
      conflict
        .columns(['organization_id', 'email'])
        .doUpdateSet({ role: 'admin', updated_at: sql<string>`now()` }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}
