import type { EventFeed } from './feed.ts';
import type { EventQuery, ListedEvent } from './list.ts';
import type { EventLog } from './log.ts';

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
  let { after } = query;
  const read = async () => {
    const events = await deps.log.list({ ...query, after, ascending: true, limit: pageSize });
    after = events.at(-1)?.createdAt ?? after;
    return events;
  };

  for (;;) {
    const events = await read();
    yield { phase: 'backfill', events };
    if (signal.aborted) return;
    if (events.length < pageSize) break;
  }
  using subscription = deps.feed.subscribe(query.organizationId);
  let phase: 'cutover' | 'live' = 'cutover';
  while (!signal.aborted) {
    const events = await read();
    yield { phase, events };
    if (events.length === pageSize) continue;
    if (phase === 'cutover') {
      phase = 'live';
      yield { phase, events: [] };
    }
    // After a timeout the log is read as well: a safety net, at the price of one index probe per heartbeat.
    await subscription.wait(heartbeat, signal);
  }
}
