import { sql } from 'kysely';
import type { Transaction } from '../db/index.ts';
import type { StoredEvent } from '../events/index.ts';
import { deliveryChannel } from './channel.ts';

/**
 * Queues an event for the organization's webhook, in the transaction that appends it: the delivery exists if
 * and only if the event does. A disabled webhook gets nothing, now or later, unless it is recovered.
 */
export async function enqueueDeliveries(tx: Transaction, event: StoredEvent): Promise<void> {
  const { organizationId, createdAt, id, type } = event;
  await sql`
    with webhook as (
      select id, gen_random_uuid() as delivery_id from webhooks
      where organization_id = ${organizationId} and not disabled
    ), delivery as (
      insert into webhook_deliveries (id, created_at, organization_id, webhook_id, event_id, event_type)
      select delivery_id, ${createdAt}, ${organizationId}, id, ${id}, ${type} from webhook
    ), queued as (
      insert into webhook_queue (webhook_id, created_at, delivery_id)
      select id, ${createdAt}, delivery_id from webhook
    )
    select pg_notify(${deliveryChannel}, id::text) from webhook`.execute(tx);
}
