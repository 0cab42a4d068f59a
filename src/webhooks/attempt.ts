import type { Logger } from 'pino';
import type { Egress } from '../egress/index.ts';
import { messageOf } from '../errors.ts';
import type { Claimed } from './claim.ts';
import type { Finished } from './record.ts';
import { parseRetryAfter, retryWait } from './retry-schedule.ts';
import { type AttemptResult, deliveryBody, send } from './send.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Makes one attempt of a delivery and says what comes next. Never throws. */
export async function attempt(
  { egress, log }: { egress: Egress; log: Logger },
  keys: SigningKeys,
  { retrySeconds, deadline }: { retrySeconds: readonly number[]; deadline: number },
  claimed: Claimed,
  signal: AbortSignal,
): Promise<Finished> {
  const { endpoint, eventId } = claimed;
  if (endpoint === null || claimed.disabled) return { claimed, result: null, status: 'canceled', wait: 0 };
  if (eventId === null) return { claimed, result: null, status: 'failed', wait: 0 };
  const result = await signAndSend(egress, keys, { ...claimed, endpoint, eventId }, deadline, signal);
  if (result.error === null) return { claimed, result, status: 'delivered', wait: 0 };

  const requested = parseRetryAfter(result.headers?.['retry-after'], Date.now());
  const wait = retryWait(claimed.attempt - claimed.attemptsBefore, retrySeconds, requested);
  // What was delivered is on record; what was not is worth a line as well.
  log.info(
    {
      delivery_id: claimed.deliveryId,
      event_id: eventId,
      event_type: claimed.eventType,
      organization_id: claimed.organizationId,
      webhook_id: claimed.webhookId,
      attempt: claimed.attempt,
      attempts_at_most: claimed.attemptsBefore + retrySeconds.length + 1,
      status_code: result.statusCode,
      error: result.error,
      duration_ms: Math.round(result.timing.total),
      retry_in_ms: wait === undefined ? null : Math.round(wait),
    },
    'webhook.attempt_failed',
  );
  return { claimed, result, status: wait === undefined ? 'failed' : 'pending', wait: wait ?? 0 };
}

async function signAndSend(
  egress: Egress,
  keys: SigningKeys,
  claimed: Claimed & { endpoint: string; eventId: string },
  deadline: number,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { endpoint, eventId, secret, previousSecret, eventType, event } = claimed;
  const startedAt = Date.now();
  try {
    const key = keys.get(secret);
    const body = deliveryBody(eventType, event);
    const signing = previousSecret === null ? ([key] as const) : ([key, keys.get(previousSecret)] as const);
    return await send(egress, { endpoint, keys: signing, eventId, body }, deadline, signal);
  } catch (error) {
    // The key that sealed the secret is not on this worker's ring: an operator can mend that between attempts.
    const timing = { dns: null, connect: null, tls: null, firstByte: null, total: 0 };
    const why = `the secret cannot be opened: ${messageOf(error)}`;
    return {
      endpoint,
      startedAt,
      statusCode: null,
      errorCode: 'secret',
      error: why,
      timing,
      headers: null,
      body: null,
    };
  }
}
