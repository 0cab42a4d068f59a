import type { Logger } from 'pino';
import type { Clock } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { parseRetryAfter } from '../lib/retry-after.ts';
import type { Claimed } from './claim.ts';
import type { Finished } from './record.ts';
import { retryWait } from './retry-schedule.ts';
import { deliveryBody, send } from './send.ts';
import type { SigningKeys } from './signing-keys.ts';

/** Makes one attempt of a delivery and says what comes next. Never throws. */
export async function attempt(
  { log, ...sender }: { egress: Egress; keys: SigningKeys; clock: Clock; log: Logger },
  { retrySeconds, deadline }: { retrySeconds: readonly number[]; deadline: number },
  claimed: Claimed,
  signal: AbortSignal,
): Promise<Finished> {
  const { endpoint, eventId, organizationId } = claimed;
  if (endpoint === null || claimed.disabled) return { claimed, result: null, status: 'canceled', wait: 0 };
  if (eventId === null) return { claimed, result: null, status: 'failed', wait: 0 };
  const body = deliveryBody(claimed.eventType, claimed.event);
  const { secret, formerSecrets } = claimed;
  const message = { organizationId, endpoint, secret, formerSecrets, eventId, body };
  const result = await send(sender, message, deadline, signal);
  if (result.error === null) return { claimed, result, status: 'delivered', wait: 0 };

  const requested = parseRetryAfter(result.headers ?? {}, sender.clock.now());
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
