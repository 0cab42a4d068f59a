import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Session } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { messageOf } from '../errors.ts';
import { type OpenDependencies, openConnection } from './open.ts';
import { getConnection } from './store.ts';

/** Milliseconds after which a connection that does not answer counts as failed. Connectors give up earlier. */
const patience = 30_000;

/** By connection, those that this process is trying now: one trial tells for all that failed meanwhile. */
const trials = new Map<string, Promise<void>>();

/**
 * What the end of an execution says about the connections that took part. After a success all of them work. After a
 * failure each is tried by itself: the failure alone does not tell whose it was, nor whether it is still so.
 *
 * @param signal gives the trials up, which then say nothing.
 */
export async function followExecution(
  deps: OpenDependencies,
  organizationId: string,
  connectionIds: readonly string[],
  succeeded: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const ids = [...new Set(connectionIds)];
  if (succeeded) return setHealth(deps.db, ids, null);
  await Promise.all(ids.map((id) => trials.get(id) ?? startTrial(deps, organizationId, id, signal)));
}

/** The task of a process that tries the connections of a failed execution. */
export const followTask = 'follow-execution';

export interface FollowTaskInput {
  organizationId: string;
  connectionIds: string[];
}

export function followTaskOf(deps: OpenDependencies) {
  return ({ organizationId, connectionIds }: FollowTaskInput) =>
    followExecution(deps, organizationId, connectionIds, false);
}

function startTrial(
  deps: OpenDependencies,
  organizationId: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  const trial = tryStored(deps, organizationId, id, signal)
    .then((found) => found && setHealth(deps.db, [id], found.fault, found.updatedAt))
    .finally(() => trials.delete(id));
  trials.set(id, trial);
  return trial;
}

/** Why a stored connection, as it was at some time, does not work, or null. Undefined: it is gone, or was given up. */
async function tryStored(
  deps: OpenDependencies,
  organizationId: string,
  id: string,
  signal?: AbortSignal,
): Promise<{ fault: string | null; updatedAt: string } | undefined> {
  const late = new AbortController();
  const ended = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
  let stored: { updatedAt: string } | undefined;
  let session: Session | undefined;
  try {
    stored = await getConnection(deps.db, organizationId, id);
    ({ session, connection: stored } = await openConnection(deps, organizationId, id, ended));
    const opened = session;
    const trial = opened.test().then(() => opened.reach?.());
    const timer = pause(patience, undefined, { signal: ended }).then(() => {
      throw new Error(`it did not answer within ${patience / 1000} s`);
    });
    await Promise.race([trial, timer]);
    return { fault: null, updatedAt: stored.updatedAt };
  } catch (error) {
    if (stored === undefined || signal?.aborted) return undefined;
    return { fault: messageOf(error), updatedAt: stored.updatedAt };
  } finally {
    late.abort();
    await session?.close();
  }
}

/**
 * Rows that say so already are left alone: a success is no reason to write.
 *
 * @param updatedAt of the connection that was tried: of one that was changed meanwhile nothing is known.
 */
async function setHealth(
  db: Database,
  ids: readonly string[],
  fault: string | null,
  updatedAt?: string,
): Promise<void> {
  if (ids.length === 0) return;
  const status = fault === null ? 'healthy' : 'error';
  let update = db
    .updateTable('connections')
    .set({ status, status_error: fault })
    .where('id', 'in', ids)
    .where(sql<boolean>`(status, status_error) is distinct from (${status}, ${fault}::text)`);
  if (updatedAt !== undefined) update = update.where('updated_at', '=', updatedAt);
  await update.execute();
}
