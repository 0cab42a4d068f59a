import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { isUuid } from '../lib/uuid.ts';

export interface EventQuery {
  organizationId: string;
  /** Any of these; all when left out. */
  types?: readonly string[] | undefined;
  /** RFC 3339 at any precision; strictly after it. */
  after?: string | undefined;
  /** Strictly before it. */
  before?: string | undefined;
  /** Oldest first. */
  ascending: boolean;
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

const columns = [
  'id',
  'organization_id as organizationId',
  'created_at as createdAt',
  'type',
  'event',
] as const;

/** Older events, and what belongs to them, are gone even while their partition still stands. @param retention milliseconds */
export const keptSince = (retention: number) =>
  sql<string>`now() - ${retention / 1000} * interval '1 second'`;

/** The query of a page, for what it costs to be looked at. */
export function selectEvents(db: Database, query: EventQuery) {
  let select = db
    .selectFrom('events')
    .select(columns)
    .where('organization_id', '=', query.organizationId)
    .where('created_at', '>', keptSince(query.retention))
    .orderBy('created_at', query.ascending ? 'asc' : 'desc')
    .limit(query.limit);
  if (query.types !== undefined) select = select.where('type', 'in', query.types);
  if (query.after !== undefined) select = select.where('created_at', '>', query.after);
  if (query.before !== undefined) select = select.where('created_at', '<', query.before);
  return select;
}

/**
 * One page of the log, by keyset on (organization_id, created_at): what it costs depends on the page, not on
 * the age of the table. A cursor that was cut to milliseconds lies before the event it came from, so such a
 * reader sees an event again and never misses one.
 */
export async function listEvents(db: Database, query: EventQuery): Promise<ListedEvent[]> {
  return await selectEvents(db, query).execute();
}

export async function findEvent(
  db: Database,
  organizationId: string,
  id: string,
  retention: number,
): Promise<ListedEvent | undefined> {
  if (!isUuid(id)) return undefined;
  return await db
    .selectFrom('events')
    .select(columns)
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('created_at', '>', keptSince(retention))
    .executeTakeFirst();
}

/** Where the log of an organization ends now: whatever is appended later comes after it. */
export async function logEnd(db: Database, organizationId: string): Promise<string> {
  const row = await db
    .selectFrom('event_heads')
    .select('head')
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  return row?.head ?? '1970-01-01T00:00:00Z';
}
