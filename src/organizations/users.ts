import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import { isUuid } from '../lib/uuid.ts';
import { getOrganization } from './organizations.ts';

export interface User {
  id: string;
  organization_id: string;
  email: string;
  role: string;
  role_ids: string[];
}

export interface RoleChoice {
  /** `admin` or `user`. Empty says nothing: Terraform sends that when only the e-mail address changes. */
  role?: string | undefined;
  role_ids?: string[] | null | undefined;
}

const columns = ['id', 'organization_id', 'email', 'role'] as const;
const toUser = (row: Omit<User, 'role_ids'>): User => ({ ...row, role_ids: [] });

export async function listUsers(db: Database, organizationId: string): Promise<User[]> {
  await getOrganization(db, organizationId);
  const rows = await db
    .selectFrom('users')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map(toUser);
}

export async function getUser(db: Database, organizationId: string, id: string): Promise<User> {
  if (!isUuid(id) || !isUuid(organizationId)) throw notFound('user', id);
  const row = await db
    .selectFrom('users')
    .select(columns)
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('user', id);
  return toUser(row);
}

export async function createUser(
  db: Database,
  organizationId: string,
  { email, ...choice }: { email: string } & RoleChoice,
): Promise<User> {
  await getOrganization(db, organizationId);
  const address = addressOf(email);
  const role = roleOf(choice);
  const row = await db.transaction().execute(async (tx) => {
    // Locked, or it might be deleted before its user is there.
    const organization = await tx
      .selectFrom('organizations')
      .select('id')
      .where('id', '=', organizationId)
      .forKeyShare()
      .executeTakeFirst();
    if (organization === undefined) throw notFound('organization', organizationId);
    return tx
      .insertInto('users')
      .values({ organization_id: organizationId, email: address, role })
      .onConflict((conflict) => conflict.columns(['organization_id', 'email']).doNothing())
      .returning(columns)
      .executeTakeFirst();
  });
  if (row === undefined) throw emailTaken(address);
  return toUser(row);
}

/** Changes what is said; their keys go on working. */
export async function updateUser(
  db: Database,
  organizationId: string,
  id: string,
  { email, ...choice }: { email?: string | undefined } & RoleChoice,
): Promise<User> {
  await getUser(db, organizationId, id);
  const row = await db
    .updateTable('users')
    .set({
      ...(email === undefined ? {} : { email: addressOf(email) }),
      ...(!choice.role && choice.role_ids == null ? {} : { role: roleOf(choice) }),
      updated_at: sql<string>`now()`,
    })
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst()
    .catch((error: unknown) => {
      const taken = error instanceof Error && 'code' in error && error.code === '23505';
      throw taken && email !== undefined ? emailTaken(addressOf(email)) : error;
    });
  if (row === undefined) throw notFound('user', id);
  return toUser(row);
}

/** Their keys stop working with them. */
export async function deleteUser(db: Database, organizationId: string, id: string): Promise<User> {
  const user = await getUser(db, organizationId, id);
  await db.deleteFrom('users').where('organization_id', '=', organizationId).where('id', '=', id).execute();
  return user;
}

/** Upper and lower case are the same person. */
function addressOf(email: string): string {
  const address = email.trim().toLowerCase();
  if (/^[^\s@]+@[^\s@]+$/.test(address)) return address;
  throw new TidemarkError('unprocessable', { reason: `email: ${email} is not an e-mail address` });
}

const emailTaken = (address: string) =>
  new TidemarkError('unprocessable', { reason: `email: ${address} is a user of this organization already` });

function roleOf({ role, role_ids }: RoleChoice): string {
  if (role && role_ids != null) {
    throw new TidemarkError('unprocessable', {
      reason: 'role and role_ids exclude each other: send one of them',
    });
  }
  if (role_ids != null) {
    throw new TidemarkError('unprocessable', {
      reason: 'role_ids: custom roles are not built yet; send role',
    });
  }
  // As addresses, roles are the same in either case: `Admin` is what others call it.
  const wanted = role?.toLowerCase() || 'user';
  if (wanted !== 'admin' && wanted !== 'user') {
    throw new TidemarkError('unprocessable', { reason: `role: ${role} is neither admin nor user` });
  }
  return wanted;
}
