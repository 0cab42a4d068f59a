import type { Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { notFound } from '../errors.ts';
import { type EventType, sampleEvent } from '../events/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { type AttemptResult, deliveryBody, send } from './send.ts';
import { signingKey } from './sign.ts';

/**
 * Sends a signed sample, once and now, through the same guard and with the same headers as an event, to a
 * disabled webhook too. It is no event: nothing is logged, retried or kept.
 */
export async function sendTest(
  deps: { db: Database; keyRing: KeyRing; egress: Egress; webhookDeadline: number },
  webhookId: string,
  type: EventType,
): Promise<AttemptResult & { eventId: string; payload: string }> {
  const row = await deps.db
    .selectFrom('webhooks')
    .select(['endpoint', 'secret', 'organization_id'])
    .where('id', '=', webhookId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('webhook', webhookId);
  const eventId = crypto.randomUUID();
  const event = { ...sampleEvent(type), organization_id: row.organization_id };
  const payload = deliveryBody(type, JSON.stringify(event));
  const message = {
    endpoint: row.endpoint,
    keys: [signingKey(deps.keyRing.open(row.secret))] as const,
    eventId,
    body: payload,
  };
  return { ...(await send(deps.egress, message, deps.webhookDeadline)), eventId, payload };
}
