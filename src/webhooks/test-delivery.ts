import { sql } from 'kysely';
import type { Clock, Database } from '../db/index.ts';
import type { Egress } from '../egress/index.ts';
import { notFound } from '../errors.ts';
import { type EventType, sampleEvent } from '../events/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import type { RecordedAttempt } from './deliveries.ts';
import { deliveryBody, send } from './send.ts';
import { SigningKeys } from './signing-keys.ts';

const formerSecretsOf = sql<Buffer[]>`array(select s.secret from webhook_former_secrets s
  where s.webhook_id = webhooks.id and s.until > now() order by s.until desc)`;

/**
 * Sends a signed sample, once and now, through the same guard and with the same headers as an event, to a
 * disabled webhook too. It is no event: nothing is logged, retried or kept.
 */
export async function sendTest(
  deps: { db: Database; clock: Clock; keyRing: KeyRing; egress: Egress; webhookDeadline: number },
  webhookId: string,
  type: EventType,
): Promise<{ eventId: string; payload: string; attempt: RecordedAttempt }> {
  const row = await deps.db
    .selectFrom('webhooks')
    .select(['endpoint', 'secret', 'organization_id', formerSecretsOf.as('formerSecrets')])
    .where('id', '=', webhookId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('webhook', webhookId);
  const { endpoint, secret, formerSecrets, organization_id: organizationId } = row;
  const eventId = crypto.randomUUID();
  const event = { ...sampleEvent(type), organization_id: organizationId };
  const payload = deliveryBody(type, JSON.stringify(event));
  const sender = { egress: deps.egress, keys: new SigningKeys(deps.keyRing), clock: deps.clock };
  const message = { organizationId, endpoint, secret, formerSecrets, eventId, body: payload };
  const startedAt = new Date(deps.clock.now()).toISOString();
  const result = await send(sender, message, deps.webhookDeadline);
  return { eventId, payload, attempt: { ...result, number: 1, startedAt } };
}
