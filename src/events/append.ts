import { sql } from 'kysely';
import type { Transaction } from '../db/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { EventType } from './catalogue.ts';
import { eventChannel } from './channel.ts';

export interface StoredEvent {
  id: string;
  organizationId: string;
  /** RFC 3339 with microseconds: unique and strictly increasing per organization. */
  createdAt: string;
  type: EventType;
  /** `{"type":…,"event":…}` as it is delivered: the payload's bytes are those in the table. */
  body: string;
}

/**
 * Appends an event: the last statement of the transaction that makes it true.
 *
 * The organization's head row hands out `created_at` and stays locked until commit. Events therefore become
 * visible in `created_at` order, and a reader that goes on after the last timestamp it saw misses none. The
 * price is that transactions of one organization that append wait for each other's commit.
 */
export async function appendEvent(
  tx: Transaction,
  { organizationId, type, event }: { organizationId: string; type: EventType; event: JsonObject },
): Promise<StoredEvent> {
  const id = crypto.randomUUID();
  const payload = JSON.stringify(event);
  const { rows } = await sql<{ created_at: string }>`
    with next as (
      insert into event_heads (organization_id, head) values (${organizationId}, clock_timestamp())
      on conflict (organization_id) do update
        set head = greatest(clock_timestamp(), event_heads.head + interval '1 microsecond')
      returning head
    )
    insert into events (organization_id, created_at, id, type, event)
    select ${organizationId}, head, ${id}, ${type}, ${payload} from next
    returning created_at, pg_notify(${eventChannel}, organization_id::text)`.execute(tx);
  const createdAt = rows[0]?.created_at ?? '';
  return { id, organizationId, createdAt, type, body: `{"type":${JSON.stringify(type)},"event":${payload}}` };
}
