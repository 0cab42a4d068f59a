import { cutSpan, fromMicroseconds } from '../lib/precision.ts';
import { microsecondsOf } from '../lib/timestamp.ts';
import type { EventQuery, ListedEvent } from './list.ts';
import type { EventLog } from './log.ts';

export interface EventPage {
  events: ListedEvent[];
  hasMore: boolean;
}

/** Events read at a time beyond the page. */
const furtherAtOnce = 1000;

/**
 * A page that takes every reader on, also one that keeps its cursor at fewer digits than events have: the Go client
 * sends whole seconds, JavaScript's Date milliseconds. Such a reader sends again what its last event was cut to. So
 * the page goes on beyond the moments that its cursor may stand for, or the reader would get the same page for ever; and
 * backward it begins at their end, or the reader would miss what lies between its cursor and the event it came from.
 * It may see an event again. The price: a page may be longer than `limit`, by the events of one such unit of time.
 */
export async function pageForCut(log: EventLog, query: EventQuery): Promise<EventPage> {
  const { ascending, after, before } = query;
  const cursor = ascending ? after : before;
  const span = cursor === undefined ? undefined : cutSpan(cursor);
  if (span === undefined) return await exactPage(log, query);
  if (ascending) return await beyond(log, query, ({ createdAt }) => microsecondsOf(createdAt) >= span.to);
  return await beyond(
    log,
    { ...query, before: fromMicroseconds(span.to) },
    ({ createdAt }) => microsecondsOf(createdAt) < span.from,
  );
}

/** At least one page, and on until an event is beyond. */
async function beyond(
  log: EventLog,
  query: EventQuery,
  isBeyond: (event: ListedEvent) => boolean,
): Promise<EventPage> {
  const { events, hasMore } = await exactPage(log, query);
  for (let more = hasMore; ; ) {
    const last = events.at(-1);
    if (!more || last === undefined || isBeyond(last)) return { events, hasMore: more };
    const on = query.ascending ? { after: last.createdAt } : { before: last.createdAt };
    const next = await exactPage(log, { ...query, ...on, limit: furtherAtOnce });
    const end = next.events.findIndex(isBeyond) + 1;
    events.push(...(end === 0 ? next.events : next.events.slice(0, end)));
    more = next.hasMore || (end > 0 && end < next.events.length);
  }
}

/** Exactly as asked for. */
export async function exactPage(log: EventLog, query: EventQuery): Promise<EventPage> {
  const found = await log.list({ ...query, limit: query.limit + 1 });
  return { events: found.slice(0, query.limit), hasMore: found.length > query.limit };
}
