import type { Finished } from './record.ts';

/** What a batch of attempts says about an endpoint. */
export interface Health {
  webhook_id: string;
  last_success_at?: Date;
  last_failure_at?: Date;
  /** Since the last success of this batch. */
  failures: number;
}

/** How old (ms) the recorded success of an endpoint that only succeeds may be. */
const precision = 1000;

/**
 * What is worth recording about endpoints. One that succeeds all the time is recorded once a second, not once a
 * batch: under load that is one row update per delivery less.
 */
export class HealthLog {
  /** When the last success of an endpoint that has not failed since was recorded. */
  readonly #recorded = new Map<string, number>();

  of(batch: readonly Finished[]): Health[] {
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
    return [...found.values()].filter((entry) => this.#isNews(entry));
  }

  #isNews({ webhook_id, last_success_at, last_failure_at }: Health): boolean {
    if (last_success_at === undefined || last_failure_at !== undefined) {
      this.#recorded.delete(webhook_id);
      return true;
    }
    const at = last_success_at.getTime();
    if (at - (this.#recorded.get(webhook_id) ?? 0) < precision) return false;
    if (this.#recorded.size > 10_000) this.#recorded.clear();
    this.#recorded.set(webhook_id, at);
    return true;
  }
}
