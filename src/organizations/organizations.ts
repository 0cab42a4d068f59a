import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { notFound, TidemarkError, unprocessable } from '../errors.ts';
import type { KeyRing } from '../lib/seal.ts';
import { isUuid } from '../lib/uuid.ts';

export interface Organization {
  id: string;
  name: string;
  sso_domain?: string | undefined;
  sso_org_id?: string | undefined;
  issuer?: string | undefined;
}

export interface OrganizationSettings {
  name: string;
  sso_domain?: string | undefined;
  sso_org_id?: string | undefined;
  issuer?: string | undefined;
  client_id?: string | undefined;
  /** Stored sealed, never read back. */
  client_secret?: string | undefined;
}

const columns = ['id', 'name', 'sso_domain', 'sso_org_id', 'issuer'] as const;

interface Row {
  id: string;
  name: string;
  sso_domain: string | null;
  sso_org_id: string | null;
  issuer: string | null;
}

const toOrganization = (row: Row): Organization => ({
  id: row.id,
  name: row.name,
  ...(row.sso_domain === null ? {} : { sso_domain: row.sso_domain }),
  ...(row.sso_org_id === null ? {} : { sso_org_id: row.sso_org_id }),
  ...(row.issuer === null ? {} : { issuer: row.issuer }),
});

/** In the order they were made. */
export async function listOrganizations(db: Database): Promise<Organization[]> {
  const rows = await db
    .selectFrom('organizations')
    .select(columns)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(toOrganization);
}

export async function getOrganization(db: Database, id: string): Promise<Organization> {
  if (!isUuid(id)) throw notFound('organization', id);
  const row = await db.selectFrom('organizations').select(columns).where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('organization', id);
  return toOrganization(row);
}

export async function createOrganization(
  deps: { db: Database; keyRing: KeyRing },
  settings: OrganizationSettings,
): Promise<Organization> {
  const row = await deps.db.transaction().execute(async (tx) => {
    await claimDomain(tx, settings.sso_domain);
    return await tx
      .insertInto('organizations')
      .values(toRow(deps.keyRing, settings))
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning(columns)
      .executeTakeFirst();
  });
  if (row === undefined) throw nameTaken(settings.name);
  return toOrganization(row);
}

/**
 * Full replacement: what is left out is cleared, but for the secret, which clients cannot read to send it back. It is kept
 * for the issuer that it was stored for: whoever may name another one may not have it sent there.
 *
 * @throws unprocessable when the secret would be kept for another issuer.
 */
export async function updateOrganization(
  deps: { db: Database; keyRing: KeyRing },
  id: string,
  settings: OrganizationSettings,
): Promise<Organization> {
  await getOrganization(deps.db, id);
  try {
    const row = await deps.db.transaction().execute(async (tx) => {
      await claimDomain(tx, settings.sso_domain, id);
      await keepsSecretFor(tx, id, settings);
      const { client_secret, ...rest } = toRow(deps.keyRing, settings);
      return await tx
        .updateTable('organizations')
        .set({
          ...rest,
          ...(settings.client_secret === undefined ? {} : { client_secret }),
          updated_at: sql<string>`now()`,
        })
        .where('id', '=', id)
        .returning(columns)
        .executeTakeFirst();
    });
    if (row === undefined) throw notFound('organization', id);
    return toOrganization(row);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '23505') throw nameTaken(settings.name);
    throw error;
  }
}

/** Deletes an organization and everything in it. The first one, which holds the operator's own user, stays. */
export async function deleteOrganization(db: Database, id: string): Promise<void> {
  await getOrganization(db, id);
  const deleted = await db
    .deleteFrom('organizations')
    .where('id', '=', id)
    .where('is_owner', '=', false)
    .executeTakeFirst();
  if (deleted.numDeletedRows > 0n) return;
  throw new TidemarkError('forbidden', { reason: 'The owner organization cannot be deleted' });
}

async function keepsSecretFor(
  tx: Transaction,
  id: string,
  { issuer, client_secret: secret }: OrganizationSettings,
): Promise<void> {
  if (!issuer || secret !== undefined) return;
  const stored = await tx
    .selectFrom('organizations')
    .select(['issuer', 'client_secret'])
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (stored == null || stored.client_secret === null || stored.issuer === issuer) return;
  throw unprocessable('client_secret', 'send it again: issuer is another one than it was stored for');
}

/**
 * Users of a domain sign in to one organization. Those that share one already stay as they are.
 *
 * @throws sso_domain_taken
 */
async function claimDomain(tx: Transaction, domain: string | undefined, id?: string): Promise<void> {
  if (!domain) return;
  await sql`select pg_advisory_xact_lock(hashtext('tidemark sso_domain'))`.execute(tx);
  const { rows } = await sql<{ id: string; sso_domain: string }>`
    select id, sso_domain from organizations where lower(sso_domain) = lower(${domain})`.execute(tx);
  const own = rows.some((row) => row.id === id && row.sso_domain === domain);
  if (rows.length > 0 && !own) throw new TidemarkError('sso_domain_taken', { sso_domain: domain });
}

function toRow(keyRing: KeyRing, settings: OrganizationSettings) {
  const name = settings.name.trim();
  if (name === '') throw new TidemarkError('unprocessable', { reason: 'name: must not be empty' });
  return {
    name,
    sso_domain: settings.sso_domain ?? null,
    sso_org_id: settings.sso_org_id ?? null,
    issuer: settings.issuer ?? null,
    client_id: settings.client_id ?? null,
    client_secret: !settings.client_secret ? null : keyRing.seal(settings.client_secret),
  };
}

const nameTaken = (name: string) => new TidemarkError('name_taken', { name, resource: 'organization' });
