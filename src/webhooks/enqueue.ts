import type { Transaction } from '../db/index.ts';
import type { StoredEvent } from '../events/index.ts';
import type { Jobs } from '../jobs/index.ts';
import { type DeliveryJob, deliveryQueue } from './queue.ts';

/**
 * Queues an event for the organization's webhook, in the transaction that appends it: the delivery exists if
 * and only if the event does. A disabled webhook gets nothing, now or later.
 */
export async function enqueueDeliveries(tx: Transaction, jobs: Jobs, event: StoredEvent): Promise<void> {
  const webhook = await tx
    .selectFrom('webhooks')
    .select('id')
    .where('organization_id', '=', event.organizationId)
    .where('disabled', '=', false)
    .executeTakeFirst();
  if (webhook === undefined) return;
  const job: DeliveryJob = { deliveryId: crypto.randomUUID(), createdAt: event.createdAt };
  const [jobId] = await jobs.insert(tx, deliveryQueue, [{ data: job, group: webhook.id }]);
  await tx
    .insertInto('webhook_deliveries')
    .values({
      id: job.deliveryId,
      created_at: job.createdAt,
      organization_id: event.organizationId,
      webhook_id: webhook.id,
      event_id: event.id,
      event_type: event.type,
      job_id: jobId ?? null,
    })
    .execute();
}
