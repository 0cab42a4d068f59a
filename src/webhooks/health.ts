import type { Finished } from './record.ts';

/** What a batch of attempts says about an endpoint. */
export interface Health {
  webhook_id: string;
  /** Milliseconds. */
  success_ago?: number;
  failure_ago?: number;
  /** Since the last success of this batch. */
  failures: number;
}

/** Of each endpoint in the batch, in the order in which the attempts ended. @param now a reading of performance.now() */
export function healthOf(batch: readonly Finished[], now: number): Health[] {
  const found = new Map<string, Health>();
  for (const { claimed, result } of batch) {
    if (result === null) continue;
    const entry = found.get(claimed.webhookId) ?? { webhook_id: claimed.webhookId, failures: 0 };
    found.set(claimed.webhookId, entry);
    const ago = now - result.started - result.timing.total;
    if (result.error === null) {
      entry.success_ago = ago;
      entry.failures = 0;
    } else {
      entry.failure_ago = ago;
      entry.failures++;
    }
  }
  return [...found.values()];
}
