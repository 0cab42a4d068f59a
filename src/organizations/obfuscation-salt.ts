import { randomBytes } from 'node:crypto';
import type { Database } from '../db/index.ts';
import type { KeyRing } from '../lib/seal.ts';

/**
 * What obfuscated values of an organization are salted with. It is made on first use and never changes, so that
 * equal values stay equal across tables, syncs and years; whoever sees only digests cannot try values without it.
 */
export async function obfuscationSalt(
  { db, keyRing }: { db: Database; keyRing: KeyRing },
  organizationId: string,
): Promise<string> {
  const fresh = keyRing.seal(randomBytes(32).toString('hex'));
  const row = await db
    .updateTable('organizations')
    .set((where) => ({ obfuscation_salt: where.fn.coalesce('obfuscation_salt', where.val(fresh)) }))
    .where('id', '=', organizationId)
    .returning('obfuscation_salt')
    .executeTakeFirstOrThrow();
  return keyRing.open(row.obfuscation_salt ?? fresh);
}
