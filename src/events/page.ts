import { cutSpan, fromMicroseconds } from '../lib/precision.ts';
import { microsecondsOf } from '../lib/timestamp.ts';
import type { EventQuery, ListedEvent } from './list.ts';
import type { EventLog } from './log.ts';

export interface EventPage {
  events: ListedEvent[];
  hasMore: boolean;
  /**
   * Where a reader goes on: after the last event, or after the end of the log where the page has no more. A page that a
   * filter left empty moves it, too, or it would grow older than what is kept. Undefined backward without events.
   */
  position: string | undefined;
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
  let { events, hasMore, position } = await exactPage(log, query);
  for (;;) {
    const last = events.at(-1);
    if (!hasMore || last === undefined || isBeyond(last)) return { events, hasMore, position };
    const on = query.ascending ? { after: last.createdAt } : { before: last.createdAt };
    const next = await exactPage(log, { ...query, ...on, limit: furtherAtOnce });
    const end = next.events.findIndex(isBeyond) + 1;
    const isCut = end > 0 && end < next.events.length;
    const further = isCut ? next.events.slice(0, end) : next.events;
    position = isCut ? further.at(-1)?.createdAt : next.position;
    events = [...events, ...further];
    hasMore = next.hasMore || isCut;
  }
}

/** Exactly as asked for. */
export async function exactPage(log: EventLog, query: EventQuery): Promise<EventPage> {
  const { organizationId, ascending, limit, after } = query;
  // Before the page: read afterwards, it might be the head of an event that became visible in between.
  const end = ascending ? await log.end(organizationId) : undefined;
  const found = await log.list({ ...query, limit: limit + 1 });
  const events = found.slice(0, limit);
  const hasMore = found.length > limit;
  const last = events.at(-1)?.createdAt;
  const position = hasMore || !ascending ? last : latest([after, end, last]);
  return { events, hasMore, position };
}

function latest(times: (string | undefined)[]): string | undefined {
  const there = times.filter((time) => time !== undefined);
  return there.sort((a, b) => microsecondsOf(a) - microsecondsOf(b)).at(-1);
}
