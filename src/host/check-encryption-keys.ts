import { sql } from 'kysely';
import { ConfigError } from '../config.ts';
import { anyListener, type Database } from '../db/index.ts';
import { type KeyRing, sealedWith } from '../lib/seal.ts';
import type { EncryptionKeys } from './encryption-keys.ts';

/** Where sealed values are kept for as long as their row. What is gone within days (jobs, idempotency) is left out. */
export const sealedColumns = [
  ['connections', 'secrets'],
  ['webhooks', 'secret'],
  ['webhook_former_secrets', 'secret'],
  // Written by servers of earlier versions.
  ['webhooks', 'previous_secret'],
  ['organizations', 'client_secret'],
  ['organizations', 'obfuscation_salt'],
  ['model_syncs', 'encryption_passphrase'],
] as const;

/** Any constant: it serializes servers that start at the same time. */
const advisoryLock = 0x7469_656b;

/** Values that no key on the ring opens, by place: `connections.secrets`, `2`. */
export type Unreadable = Record<string, number>;

/**
 * Finds out, before a server listens, whether its keys open what the database holds. Of servers that start at the same
 * time on a new database the last one's key counts: each asks again, by `requireEncryptionKeys`, once it can be seen.
 *
 * @returns what cannot be read though the keys are the right ones, such as what a retired key had sealed.
 * @throws ConfigError when the keys are others than those that sealed what is there.
 */
export async function checkEncryptionKeys(
  db: Database,
  keyRing: KeyRing,
  origin: Pick<EncryptionKeys, 'source' | 'isNew'>,
): Promise<Unreadable> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${advisoryLock})`.execute(tx);
    const canary = await readCanary(tx);
    const { readable, unreadable } = await lookAtSealed(tx, keyRing);
    const lost = Object.keys(unreadable).length > 0;
    const isOurs = canary === undefined ? readable || !lost : keyRing.opens(canary);
    // Who runs with the other key would go on sealing with it.
    const isInUse = !isOurs && (lost || readable || (await anyListener(tx)));
    if (isInUse) throw otherKey(origin, canary ?? (await anyLost(tx, keyRing)));
    // Nothing is sealed that a new key could not open, so it is the key from now on.
    if (canary === undefined || !keyRing.isCurrent(canary)) await writeCanary(tx, keyRing);
    return unreadable;
  });
}

/** The same for who leaves the canary as it is: a worker, and a server that has started. @throws ConfigError */
export async function requireEncryptionKeys(
  db: Database,
  keyRing: KeyRing,
  origin: Pick<EncryptionKeys, 'source' | 'isNew'>,
): Promise<void> {
  const canary = await readCanary(db);
  const isOther = canary !== undefined && !keyRing.opens(canary);
  if (origin.isNew || isOther) throw otherKey(origin, canary);
}

function otherKey({ source, isNew }: Pick<EncryptionKeys, 'source' | 'isNew'>, sealed: Buffer | undefined) {
  const id = sealed === undefined ? '' : ` ${sealedWith(sealed)}`;
  return new ConfigError(
    isNew
      ? `${source}: is missing, and the database holds what encryption key${id} sealed. ` +
          'Put the file back, or set TIDEMARK_ENCRYPTION_KEY to that key: without it the stored secrets cannot be read.'
      : `${source}: is another key than encryption key${id}, which sealed what the database holds. ` +
          'Set that key. To change it, put the new one in front of it in TIDEMARK_ENCRYPTION_KEY: new,old.',
  );
}

async function readCanary(db: Database): Promise<Buffer | undefined> {
  const row = await db.selectFrom('encryption_canary').select('sealed').executeTakeFirst();
  return row?.sealed;
}

async function writeCanary(db: Database, keyRing: KeyRing): Promise<void> {
  const sealed = keyRing.seal('canary');
  await db
    .insertInto('encryption_canary')
    .values({ sealed })
    .onConflict((conflict) =>
      conflict.column('is_only').doUpdateSet({ sealed, updated_at: sql<string>`now()` }),
    )
    .execute();
}

/** One value of each key in each place is opened: thousands of secrets under one key tell no more than one. */
async function lookAtSealed(
  db: Database,
  keyRing: KeyRing,
): Promise<{ readable: boolean; unreadable: Unreadable }> {
  const unreadable: Unreadable = {};
  let readable = false;
  for (const [table, column] of sealedColumns) {
    for (const { sample, count } of await samplesOf(db, table, column)) {
      if (keyRing.opens(sample)) readable = true;
      else unreadable[`${table}.${column}`] = (unreadable[`${table}.${column}`] ?? 0) + count;
    }
  }
  return { readable, unreadable };
}

async function anyLost(db: Database, keyRing: KeyRing): Promise<Buffer | undefined> {
  for (const [table, column] of sealedColumns) {
    const lost = (await samplesOf(db, table, column)).find(({ sample }) => !keyRing.opens(sample));
    if (lost !== undefined) return lost.sample;
  }
  return undefined;
}

async function samplesOf(db: Database, table: string, column: string) {
  const sealed = sql.ref(column);
  const { rows } = await sql<{ sample: Buffer; count: number }>`
    select (array_agg(${sealed}))[1] as sample, count(*)::int as count from ${sql.table(table)}
    where ${sealed} is not null group by substring(${sealed} from 1 for 4)`.execute(db);
  return rows;
}
