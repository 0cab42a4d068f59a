import type { Finished } from './record.ts';

/** What a batch of attempts says about an endpoint. */
export interface Health {
  webhook_id: string;
  last_success_at?: Date;
  last_failure_at?: Date;
  /** Since the last success of this batch. */
  failures: number;
}

/** Of each endpoint in the batch, in the order in which the attempts ended. */
export function healthOf(batch: readonly Finished[]): Health[] {
  const found = new Map<string, Health>();
  for (const { claimed, result } of batch) {
    if (result === null) continue;
    const entry = found.get(claimed.webhookId) ?? { webhook_id: claimed.webhookId, failures: 0 };
    found.set(claimed.webhookId, entry);
    const at = new Date(result.startedAt + result.timing.total);
    if (result.error === null) {
      entry.last_success_at = at;
      entry.failures = 0;
    } else {
      entry.last_failure_at = at;
      entry.failures++;
    }
  }
  return [...found.values()];
}
