import { setTimeout as pause } from 'node:timers/promises';
import { streamEvents } from '../../src/cli/events/stream.ts';
import type { Tenant } from './tenant.ts';

/** What one reader of one organization's log saw, in the order in which it saw it. */
export interface Reader {
  name: string;
  organizationId: string;
  seen: string[];
}

interface Page {
  data: { id: string; created_at: string }[];
  pagination: { next_page_token: string };
}

/**
 * Four readers of one organization that go on through whatever happens to the server: one by timestamp, one by
 * timestamps cut to the second, one by token (waiting for events), one by stream. None of them forgets its position; none
 * of them keeps anything else, but for the second, which recognizes by id what it sees again.
 */
export function startReaders(tenant: Tenant, url: () => string, signal: AbortSignal): Reader[] {
  const reader = (name: string): Reader => ({ name, organizationId: tenant.organizationId, seen: [] });
  const [byTimestamp, bySecond] = [reader('timestamp'), reader('second')];
  const [byToken, byStream] = [reader('token'), reader('stream')];
  const known = new Set<string>();

  const poll = async (into: Reader, query: (position: string) => string, next: (page: Page) => string) => {
    let position = '';
    while (!signal.aborted) {
      try {
        const response = await fetch(`${url()}/api/events?limit=20&${query(position)}`, {
          headers: { authorization: `Bearer ${tenant.apiKey}` },
          signal: AbortSignal.timeout(10_000),
        });
        if (!response.ok) throw new Error(String(response.status));
        const page = (await response.json()) as Page;
        const fresh = page.data.map(({ id }) => id).filter((id) => into !== bySecond || !known.has(id));
        if (into === bySecond) for (const id of fresh) known.add(id);
        into.seen.push(...fresh);
        position = next(page) || position;
        // The second one reads the same again and again: not as fast as it can.
        if (fresh.length === 0 || into === bySecond) await pause(10);
      } catch {
        await pause(50); // The server is away.
      }
    }
  };
  const beginning = '2020-01-01T00:00:00Z';
  void poll(
    byTimestamp,
    (position) => `starting_after=${position || beginning}`,
    ({ data }) => data.at(-1)?.created_at ?? '',
  );
  void poll(
    bySecond,
    (position) => `starting_after=${position || beginning}`,
    // As the Go client writes a time into a query.
    ({ data }) => data.at(-1)?.created_at.replace(/\.\d+/, '') ?? '',
  );
  void poll(
    byToken,
    (position) => `wait=2&${position ? `page_token=${position}` : `starting_after=${beginning}`}`,
    ({ pagination }) => pagination.next_page_token,
  );
  void (async () => {
    const server = {
      get url() {
        return url();
      },
      apiKey: tenant.apiKey,
    };
    const options = { types: [], since: beginning, signal, lost: () => {} };
    for await (const { id } of streamEvents(server, options)) byStream.seen.push(id);
  })();
  return [byTimestamp, bySecond, byToken, byStream];
}
