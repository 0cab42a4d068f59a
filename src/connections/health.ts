import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Session } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { messageOf, TidemarkError } from '../errors.ts';
import { type OpenDependencies, openConnection } from './open.ts';

/** Milliseconds after which a connection that does not answer counts as failed. Connectors give up earlier. */
const patience = 30_000;

/**
 * What the end of an execution says about the connections that took part. After a success all of them work. After a
 * failure each is tried by itself: the failure alone does not tell whose it was, nor whether it is still so.
 */
export async function followExecution(
  deps: OpenDependencies,
  organizationId: string,
  connectionIds: readonly string[],
  succeeded: boolean,
): Promise<void> {
  const ids = [...new Set(connectionIds)];
  if (succeeded) return setHealth(deps.db, ids, null);
  await Promise.all(
    ids.map(async (id) => {
      const fault = await tryStored(deps, organizationId, id);
      if (fault !== 'gone') await setHealth(deps.db, [id], fault);
    }),
  );
}

/** Why a stored connection does not work, or null. */
async function tryStored(
  deps: OpenDependencies,
  organizationId: string,
  id: string,
): Promise<string | null | 'gone'> {
  const late = new AbortController();
  let session: Session | undefined;
  try {
    ({ session } = await openConnection(deps, organizationId, id, late.signal));
    const opened = session;
    const trial = opened.test().then(() => opened.reach?.());
    const timer = pause(patience, undefined, { signal: late.signal }).then(() => {
      throw new Error(`it did not answer within ${patience / 1000} s`);
    });
    await Promise.race([trial, timer]);
    return null;
  } catch (error) {
    if (error instanceof TidemarkError && error.key === 'not_found') return 'gone';
    return messageOf(error);
  } finally {
    late.abort();
    await session?.close();
  }
}

/** Rows that say so already are left alone: a success is no reason to write. */
async function setHealth(db: Database, ids: readonly string[], fault: string | null): Promise<void> {
  if (ids.length === 0) return;
  const status = fault === null ? 'healthy' : 'error';
  await db
    .updateTable('connections')
    .set({ status, status_error: fault })
    .where('id', 'in', ids)
    .where(sql<boolean>`(status, status_error) is distinct from (${status}, ${fault}::text)`)
    .execute();
}
