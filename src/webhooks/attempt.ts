import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import type { Job, Jobs } from '../jobs/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { type DeliveryJob, deliveryQueue } from './queue.ts';

/** Everything one request needs. */
export interface Attempt {
  number: number;
  organizationId: string;
  webhookId: string;
  eventId: string;
  eventType: string;
  endpoint: string;
  secret: string;
  body: string;
}

/**
 * Takes the next attempt of a delivery: counted and on record before anything is sent. A worker that is
 * killed between sending and recording has used the attempt up; its row says so, and the next one goes out
 * with the same webhook-id. That is the one way a receiver can see an event twice.
 *
 * @returns undefined when there is nothing to send: delivered, canceled, used up, or the webhook is gone.
 */
export async function claimAttempt(
  deps: { db: Database; keyRing: KeyRing; workerId: string },
  { id: jobId, data: job }: Pick<Job<DeliveryJob>, 'id' | 'data'>,
  maxAttempts: number,
): Promise<Attempt | undefined> {
  const row = await deps.db.transaction().execute(async (tx) => {
    const delivery = await tx
      .updateTable('webhook_deliveries')
      .set({
        attempts: sql<number>`attempts + 1`,
        worker_id: deps.workerId,
        updated_at: sql<string>`clock_timestamp()`,
      })
      .where('created_at', '=', job.createdAt)
      .where('id', '=', job.deliveryId)
      .where('status', '=', 'pending')
      .where('job_id', '=', jobId)
      .where('attempts', '<', maxAttempts)
      .returning(['attempts', 'organization_id', 'webhook_id', 'event_id', 'event_type'])
      .executeTakeFirst();
    if (delivery === undefined) return undefined;
    const source = await tx
      .selectFrom('webhooks')
      .innerJoin('events', 'events.organization_id', 'webhooks.organization_id')
      .select(['webhooks.endpoint', 'webhooks.secret', 'events.event'])
      .where('webhooks.id', '=', delivery.webhook_id)
      .where('webhooks.disabled', '=', false)
      .where('events.organization_id', '=', delivery.organization_id)
      // The delivery was made with its event's timestamp: one row of one partition.
      .where('events.created_at', '=', job.createdAt)
      .executeTakeFirst();
    await tx
      .insertInto('webhook_attempts')
      .values({
        delivery_id: job.deliveryId,
        created_at: job.createdAt,
        attempt: delivery.attempts,
        started_at: sql<string>`clock_timestamp()`,
        error: 'the worker was killed before the response was recorded',
      })
      .execute();
    return { delivery, source };
  });
  if (row?.source === undefined) return undefined;
  const { delivery, source } = row;
  return {
    number: delivery.attempts,
    organizationId: delivery.organization_id,
    webhookId: delivery.webhook_id,
    eventId: delivery.event_id,
    eventType: delivery.event_type,
    endpoint: source.endpoint,
    secret: deps.keyRing.open(source.secret),
    body: `{"type":${JSON.stringify(delivery.event_type)},"event":${source.event}}`,
  };
}

export interface AttemptResult {
  /** Null when no response arrived. */
  statusCode: number | null;
  /** In words; null after a 2xx. */
  error: string | null;
  durationMs: number;
}

/**
 * Records what came of an attempt and, where another is due, queues it: one transaction, so there is neither
 * a retry of a recorded success nor a recorded failure without its retry.
 *
 * @param wait milliseconds until the next attempt; undefined when this was the last.
 */
export async function recordAttempt(
  deps: { db: Database; jobs: Jobs },
  job: DeliveryJob,
  attempt: Attempt,
  result: AttemptResult,
  wait: number | undefined,
  now: number,
): Promise<void> {
  const next = result.error === null || wait === undefined ? undefined : new Date(now + wait);
  const status = result.error === null ? 'delivered' : next === undefined ? 'failed' : 'pending';
  await deps.db.transaction().execute(async (tx) => {
    await tx
      .updateTable('webhook_attempts')
      .set({
        status_code: result.statusCode,
        error: result.error,
        duration_ms: Math.round(result.durationMs),
      })
      .where('created_at', '=', job.createdAt)
      .where('delivery_id', '=', job.deliveryId)
      .where('attempt', '=', attempt.number)
      .execute();
    const [nextJobId = null] =
      next === undefined
        ? []
        : await deps.jobs.insert(tx, deliveryQueue, [
            { data: job, group: attempt.webhookId, startAfter: next },
          ]);
    await tx
      .updateTable('webhook_deliveries')
      .set({
        status,
        next_attempt_at: next ?? null,
        job_id: nextJobId,
        worker_id: null,
        updated_at: sql<string>`clock_timestamp()`,
      })
      .where('created_at', '=', job.createdAt)
      .where('id', '=', job.deliveryId)
      .where('status', '=', 'pending')
      // A worker that took over after a stall has its own attempt under way and decides what comes next;
      // the job just inserted then finds another job's id in the row and ends.
      .where('attempts', '=', attempt.number)
      .execute();
  });
}
