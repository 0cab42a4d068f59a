import type { EventFeed } from './feed.ts';
import type { EventQuery, ListedEvent } from './list.ts';
import type { EventLog } from './log.ts';
import { exactPage } from './page.ts';

/** Rows read at a time: what one reader holds in memory. */
const pageSize = 100;

export interface Following {
  /**
   * `backfill`: reading what was there. `cutover`: listening has begun, and what was written before it is
   * read. `live`: every wake-up is a read. Nothing is ever sent that was not read from the log, so there is
   * no seam between the phases at which an event could be lost, doubled or reordered.
   */
  phase: 'backfill' | 'cutover' | 'live';
  events: ListedEvent[];
  /** Where a reader goes on that has these events: further than the last of them, where a filter left others out. */
  position: string;
}

/**
 * Reads an organization's log from a position on and goes on for ever. Yields at least every `heartbeat`
 * milliseconds, with no events when there are none. The reader sets the pace: nothing is read ahead.
 */
export async function* followEvents(
  deps: { log: EventLog; feed: EventFeed },
  query: Pick<EventQuery, 'organizationId' | 'types' | 'retention'> & { after: string },
  heartbeat: number,
  signal: AbortSignal,
): AsyncGenerator<Following> {
  let position = query.after;
  const read = async () => {
    const page = await exactPage(deps.log, { ...query, after: position, ascending: true, limit: pageSize });
    position = page.position ?? position;
    return page;
  };

  for (;;) {
    const { events, hasMore } = await read();
    yield { phase: 'backfill', events, position };
    if (signal.aborted) return;
    if (!hasMore) break;
  }
  using subscription = deps.feed.subscribe(query.organizationId);
  let phase: 'cutover' | 'live' = 'cutover';
  while (!signal.aborted) {
    const { events, hasMore } = await read();
    yield { phase, events, position };
    if (hasMore) continue;
    if (phase === 'cutover') {
      phase = 'live';
      yield { phase, events: [], position };
    }
    // After a timeout the log is read as well: a safety net, at the price of one index probe per heartbeat.
    await subscription.wait(heartbeat, signal);
  }
}
