import { createHash, timingSafeEqual } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../db/index.ts';

/** Who makes a request, as far as the credential tells. */
export type Caller =
  | { kind: 'user'; organizationId: string; userId: string; email: string; role: string; keyId: string }
  /** Basic organization_id:key. Acts inside one organization, is nobody in particular. */
  | {
      kind: 'organization';
      organizationId: string;
      /** With a user's key. */
      keyId?: string;
      role: string /** With the partner's key. */;
      partner: boolean;
    }
  /** Manages organizations and their users; belongs to none. */
  | { kind: 'partner' };

/** Recorded as created_by and updated_by: `OutputActor` on the wire. */
export interface Actor {
  id: string;
  name: string;
  type: 'user' | 'organization' | 'partner';
}

export function actorOf(caller: Caller): Actor {
  if (caller.kind === 'user') return { id: caller.userId, name: caller.email, type: 'user' };
  if (caller.kind === 'organization')
    return { id: caller.organizationId, name: 'organization', type: 'organization' };
  return { id: '00000000-0000-0000-0000-000000000000', name: 'partner', type: 'partner' };
}

/**
 * Reads an Authorization header: Bearer <user key>, Bearer <partner key>, or Basic organization_id:key, where
 * key is the partner key or a user key of that organization.
 *
 * @returns undefined for anything that is not a valid credential.
 */
export async function authenticate(
  deps: { db: Database; partnerKey: string | undefined },
  authorization: string | undefined,
): Promise<Caller | undefined> {
  const [scheme, value] = (authorization ?? '').split(/\s+/, 2);
  if (scheme === undefined || value === undefined) return undefined;
  if (/^bearer$/i.test(scheme)) {
    return isPartnerKey(deps.partnerKey, value) ? { kind: 'partner' } : userByKey(deps.db, value);
  }
  if (!/^basic$/i.test(scheme)) return undefined;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0 ? undefined : organizationByKey(deps, decoded.slice(0, colon), decoded.slice(colon + 1));
}

/** Keys are stored as their hash: a copy of the database opens nothing. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

async function userByKey(db: Database, key: string): Promise<Caller | undefined> {
  const row = await db
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.user_id')
    .select(['users.id', 'users.organization_id', 'users.email', 'users.role', 'api_keys.id as key_id'])
    .where('api_keys.hash', '=', hashKey(key))
    .where(stillValid)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    kind: 'user',
    organizationId: row.organization_id,
    userId: row.id,
    email: row.email,
    role: row.role,
    keyId: row.key_id,
  };
}

const stillValid = sql<boolean>`(api_keys.expires_at is null or api_keys.expires_at > now())`;

/** Of keys and organizations those that callers may still act by. */
export async function stillThere(
  db: Database,
  { keyIds, organizationIds }: { keyIds: readonly string[]; organizationIds: readonly string[] },
): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select id from api_keys where id = any(${keyIds}::uuid[]) and ${stillValid}
    union all select id from organizations where id = any(${organizationIds}::uuid[])`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

async function organizationByKey(
  deps: { db: Database; partnerKey: string | undefined },
  organizationId: string,
  key: string,
): Promise<Caller | undefined> {
  if (!isPartnerKey(deps.partnerKey, key)) {
    const user = await userByKey(deps.db, key);
    const same = user?.kind === 'user' && user.organizationId === organizationId;
    // Acting for the organization gives nobody more rights than they have.
    return same
      ? { kind: 'organization', organizationId, keyId: user.keyId, role: user.role, partner: false }
      : undefined;
  }
  return partnerIn(deps.db, organizationId);
}

/** The partner, acting inside one organization. @returns undefined for one that is not there. */
export async function partnerIn(db: Database, organizationId: string): Promise<Caller | undefined> {
  const row = await db
    .selectFrom('organizations')
    .select('id')
    .where((where) => where.eb(where.cast<string>('id', 'text'), '=', organizationId.toLowerCase()))
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { kind: 'organization', organizationId: row.id, role: 'admin', partner: true };
}

function isPartnerKey(partnerKey: string | undefined, key: string): boolean {
  return partnerKey !== undefined && timingSafeEqual(hashKey(partnerKey), hashKey(key));
}
