import type { Queue } from '../jobs/index.ts';

/** One job per attempt. A worker that dies over a request loses the job to another, see claimAttempt. */
export const deliveryQueue: Queue = {
  name: 'webhook-deliveries',
  heartbeatSeconds: 30,
  expireInSeconds: 120,
  // Attempts are counted in webhook_deliveries; this only bounds jobs that keep killing workers.
  retryLimit: 20,
};

export interface DeliveryJob {
  deliveryId: string;
  /** The delivery's partition key. */
  createdAt: string;
}
