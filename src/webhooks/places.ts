/** An endpoint that answers slower than this (ms) has no claim to the places kept for those that answer. */
const prompt = 2000;

export interface Outcome {
  delivered: boolean;
  durationMs: number;
}

interface Endpoint {
  inFlight: number;
  /** Requests it may have in flight: grows with every success, collapses when it stops answering. */
  window: number;
  /** Its last answer was a success and came promptly. */
  proven: boolean;
}

/**
 * Who may send next. A worker has so many places, one webhook so many of them at most.
 *
 * Half of the places are kept for first tries to endpoints whose last answer was a prompt success. Retries,
 * endpoints that fail or hang, and endpoints that nobody has heard from yet share the other half: however
 * many of them wait for their time-out, an event for a healthy endpoint finds a place.
 */
export class Places {
  readonly #total: number;
  readonly #perWebhook: number;
  readonly #endpoints = new Map<string, Endpoint>();
  #used = 0;
  #usedByUnproven = 0;

  constructor(total: number, perWebhook: number) {
    this.#total = total;
    this.#perWebhook = Math.min(perWebhook, total);
  }

  get free(): number {
    return this.#total - this.#used;
  }

  /** How many more may start now. */
  room(webhookId: string, retry: boolean): number {
    const { window, inFlight, proven } = this.#endpoint(webhookId);
    const own = window - inFlight;
    if (proven && !retry) return Math.max(0, Math.min(own, this.free));
    const shared = Math.max(1, Math.floor(this.#total / 2)) - this.#usedByUnproven;
    return Math.max(0, Math.min(own, this.free, shared));
  }

  /** Takes a place; the returned function gives it back, with what came of the request. */
  take(webhookId: string, retry: boolean): (outcome: Outcome | undefined) => void {
    const endpoint = this.#endpoint(webhookId);
    this.#endpoints.set(webhookId, endpoint);
    const unproven = retry || !endpoint.proven;
    endpoint.inFlight++;
    this.#used++;
    if (unproven) this.#usedByUnproven++;
    return (outcome) => {
      endpoint.inFlight--;
      this.#used--;
      if (unproven) this.#usedByUnproven--;
      if (outcome !== undefined) this.#learn(endpoint, outcome);
      // Of an endpoint that answers nothing is worth remembering but its window, which grows fast.
      if (endpoint.inFlight === 0 && this.#endpoints.size > 10_000) this.#endpoints.delete(webhookId);
    };
  }

  #learn(endpoint: Endpoint, { delivered, durationMs }: Outcome): void {
    const quick = durationMs < prompt;
    endpoint.proven = delivered && quick;
    if (delivered) endpoint.window = Math.min(this.#widest(durationMs), endpoint.window + 1);
    else if (!quick) endpoint.window = 1;
    else endpoint.window = Math.max(1, Math.floor(endpoint.window / 2));
  }

  /** The slower it answers the fewer at a time: a place is taken for no longer in all. */
  #widest(durationMs: number): number {
    if (durationMs < prompt) return this.#perWebhook;
    return Math.max(1, Math.floor((this.#perWebhook * prompt) / durationMs));
  }

  #endpoint(webhookId: string): Endpoint {
    return this.#endpoints.get(webhookId) ?? { inFlight: 0, window: 1, proven: false };
  }
}
