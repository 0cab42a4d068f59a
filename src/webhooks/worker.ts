import type { Logger } from 'pino';
import type { Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { messageOf } from '../errors.ts';
import type { Job, Jobs } from '../jobs/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { userAgent } from '../lib/version.ts';
import { type Attempt, type AttemptResult, claimAttempt, recordAttempt } from './attempt.ts';
import { type DeliveryJob, deliveryQueue } from './queue.ts';
import { retryWait } from './retry-schedule.ts';
import { sign } from './sign.ts';

/** Milliseconds from the connect to the last byte of the response. */
const deadline = 15_000;

export interface DeliveryDependencies {
  db: Database;
  jobs: Jobs;
  keyRing: KeyRing;
  egress: Egress;
  log: Logger;
  workerId: string;
}

/**
 * Sends queued deliveries. One webhook gets a quarter of the places at most, so that an endpoint that
 * answers slowly delays its own events only.
 *
 * @param retrySeconds waits before the retries; the first attempt plus these are all there will be.
 */
export async function startDeliveryWorker(
  deps: DeliveryDependencies,
  { retrySeconds, concurrency }: { retrySeconds: readonly number[]; concurrency: number },
): Promise<{ stop(): Promise<void> }> {
  await deps.jobs.work<DeliveryJob>(
    deliveryQueue,
    { concurrency, groupConcurrency: Math.max(1, Math.floor(concurrency / 4)) },
    (job) => deliver(deps, job, retrySeconds),
  );
  return { stop: () => deps.jobs.offWork(deliveryQueue) };
}

async function deliver(
  deps: DeliveryDependencies,
  job: Pick<Job<DeliveryJob>, 'id' | 'data'>,
  waits: readonly number[],
): Promise<void> {
  const attempt = await claimAttempt(deps, job, waits.length + 1);
  if (attempt === undefined) return;
  const result = await send(deps.egress, attempt);
  const wait = retryWait(attempt.number, waits);
  await recordAttempt(deps, job.data, attempt, result, wait, Date.now());
  deps.log.info(
    {
      delivery_id: job.data.deliveryId,
      event_id: attempt.eventId,
      event_type: attempt.eventType,
      organization_id: attempt.organizationId,
      webhook_id: attempt.webhookId,
      attempt: attempt.number,
      attempts_at_most: waits.length + 1,
      status_code: result.statusCode,
      error: result.error,
      duration_ms: Math.round(result.durationMs),
      retry_in_ms: result.error === null || wait === undefined ? null : Math.round(wait),
    },
    'webhook.attempted',
  );
}

async function send(egress: Egress, attempt: Attempt): Promise<AttemptResult> {
  const started = performance.now();
  const signature = sign(attempt.secret, attempt.body, attempt.eventId, Date.now());
  const headers = { 'Content-Type': 'application/json', 'User-Agent': userAgent, ...signature };
  try {
    const { status } = await egress.request({
      url: attempt.endpoint,
      method: 'POST',
      headers,
      body: attempt.body,
      deadline,
    });
    const error = status >= 200 && status < 300 ? null : `the endpoint answered ${status}`;
    return { statusCode: status, error, durationMs: performance.now() - started };
  } catch (error) {
    return { statusCode: null, error: messageOf(error), durationMs: performance.now() - started };
  }
}
