import { sql } from 'kysely';
import type { Database } from '../db/index.ts';

export interface EventQuery {
  organizationId: string;
  type?: string | undefined;
  /** RFC 3339 at any precision; strictly after it, oldest first. */
  startingAfter?: string | undefined;
  /** Strictly before it; newest first unless `startingAfter` is given. */
  endingBefore?: string | undefined;
  /** Rows at most. */
  limit: number;
  /** Milliseconds. Older events are never returned, even while their partition still stands. */
  retention: number;
}

export interface ListedEvent {
  id: string;
  organizationId: string;
  createdAt: string;
  type: string;
  /** JSON text of the payload. */
  event: string;
}

/**
 * One page of the log, by keyset on (organization_id, created_at): what it costs depends on the page, not on
 * the age of the table. A cursor that was cut to milliseconds lies before the event it came from, so such a
 * reader sees an event again and never misses one.
 */
export async function listEvents(db: Database, query: EventQuery): Promise<ListedEvent[]> {
  const ascending = query.startingAfter !== undefined;
  let select = db
    .selectFrom('events')
    .select(['id', 'organization_id', 'created_at', 'type', 'event'])
    .where('organization_id', '=', query.organizationId)
    .where('created_at', '>', sql<string>`now() - ${query.retention / 1000} * interval '1 second'`)
    .orderBy('created_at', ascending ? 'asc' : 'desc')
    .limit(query.limit);
  if (query.type !== undefined) select = select.where('type', '=', query.type);
  if (query.startingAfter !== undefined) select = select.where('created_at', '>', query.startingAfter);
  if (query.endingBefore !== undefined) select = select.where('created_at', '<', query.endingBefore);
  const rows = await select.execute();
  return rows.map((row) => ({
    id: row.id,
    organizationId: row.organization_id,
    createdAt: row.created_at,
    type: row.type,
    event: row.event,
  }));
}
