import { sql } from 'kysely';
import { ConfigError } from '../config.ts';
import type { Database } from '../db/index.ts';
import { type KeyRing, SealUnreadable } from '../lib/seal.ts';
import { sealedColumns } from './check-encryption-keys.ts';

/** Values that are read at a time. */
const batch = 200;

export interface Resealed {
  /** Values that the key in front seals now. */
  resealed: number;
  /** Values that claim to be of a key on the ring and cannot be opened by it. */
  unreadable: number;
}

/**
 * Seals with the key in front what the others on the ring sealed, while servers run. Each value is replaced alone, if it is
 * still the one that was read: killed at any moment, the rest is done by the next call.
 *
 * @throws ConfigError when servers do not seal with that key yet: they would go on making what this has to look for.
 */
export async function reseal(db: Database, keyRing: KeyRing): Promise<Resealed> {
  const canary = await db.selectFrom('encryption_canary').select('sealed').executeTakeFirst();
  if (canary !== undefined && !keyRing.isCurrent(canary.sealed)) {
    throw new ConfigError(
      'TIDEMARK_ENCRYPTION_KEY: the key in front seals nothing yet. Start every server and worker with new,old; then repeat this.',
    );
  }
  const done: Resealed = { resealed: 0, unreadable: 0 };
  for (const [table, column] of sealedColumns) {
    let last = '(0,0)';
    for (;;) {
      const rows = await formerly(db, keyRing, { table, column, last });
      for (const { place, sealed } of rows) {
        const value = opened(keyRing, sealed);
        if (value === undefined) done.unreadable++;
        else if (await replace(db, { table, column, place, sealed }, keyRing.seal(value))) done.resealed++;
        last = place;
      }
      if (rows.length < batch) break;
    }
  }
  return done;
}

interface Place {
  table: string;
  column: string;
}

async function formerly(db: Database, keyRing: KeyRing, { table, column, last }: Place & { last: string }) {
  const [name, ids] = [sql.ref(column), keyRing.formerIds];
  const { rows } = await sql<{ place: string; sealed: Buffer }>`
    select ctid::text as place, ${name} as sealed from ${sql.table(table)}
    where encode(substring(${name} from 1 for 4), 'hex') = any(${ids}::text[]) and ctid > ${last}::tid
    order by ctid limit ${batch}`.execute(db);
  return rows;
}

/** @returns false when the row was changed meanwhile: whoever did sealed it with the key in front. */
async function replace(
  db: Database,
  { table, column, place, sealed }: Place & { place: string; sealed: Buffer },
  value: Buffer,
): Promise<boolean> {
  const name = sql.ref(column);
  const { numAffectedRows } = await sql`
    update ${sql.table(table)} set ${name} = ${value} where ctid = ${place}::tid and ${name} = ${sealed}`.execute(
    db,
  );
  return numAffectedRows === 1n;
}

function opened(keyRing: KeyRing, sealed: Buffer): string | undefined {
  try {
    return keyRing.open(sealed);
  } catch (error) {
    if (error instanceof SealUnreadable) return undefined;
    throw error;
  }
}
