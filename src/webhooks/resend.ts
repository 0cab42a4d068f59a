import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import { keptSince } from '../events/index.ts';
import { isUuid } from '../lib/uuid.ts';
import { deliveryChannel } from './channel.ts';

/** Deliveries that one transaction of a recovery queues. */
const batch = 2000;

/**
 * Sends an event again. A delivery that has ended gets its schedule anew, with attempts that go on counting;
 * one that waits is tried now, without getting any attempt more; one under way is left alone.
 *
 * @throws not_found, webhook_disabled
 */
export async function resendDelivery(db: Database, webhookId: string, deliveryId: string): Promise<void> {
  if (!isUuid(deliveryId)) throw notFound('delivery', deliveryId);
  await db.transaction().execute(async (tx) => {
    await requireEnabled(tx, webhookId);
    const delivery = await tx
      .selectFrom('webhook_deliveries')
      .select(['created_at', 'status'])
      .where('webhook_id', '=', webhookId)
      .where('id', '=', deliveryId)
      .forUpdate()
      .executeTakeFirst();
    if (delivery === undefined) throw notFound('delivery', deliveryId);
    if (delivery.status === 'pending') {
      await tx
        .updateTable('webhook_queue')
        .set({ due_at: sql<string>`clock_timestamp()` })
        .where('webhook_id', '=', webhookId)
        .where('created_at', '=', delivery.created_at)
        .where('worker_id', 'is', null)
        .execute();
    } else {
      await reopen(tx, webhookId, [delivery.created_at]);
    }
    await wake(tx, webhookId);
  });
}

/**
 * Queues what a webhook did not get since a moment: events of a time when it was disabled or not yet there,
 * and deliveries that failed or were canceled. What was delivered or is pending is left alone, so calling it
 * twice sends nothing twice.
 *
 * @param since RFC 3339; older than the retention means from its beginning.
 * @throws webhook_disabled
 */
export async function recoverDeliveries(
  db: Database,
  webhookId: string,
  since: string,
  retention: number,
): Promise<{ missed: number; failed: number }> {
  const total = { missed: 0, failed: 0 };
  for (let after = since, inclusive = true; ; inclusive = false) {
    const done = await db.transaction().execute(async (tx) => {
      // Held to the end: two recoveries, or one and a disabling, go one after the other.
      await requireEnabled(tx, webhookId);
      const bound = inclusive ? sql`>=` : sql`>`;
      const { rows } = await sql<MissedEvent & { found: boolean }>`
        select e.created_at, e.organization_id, e.id, e.type, d.id is not null as found
        from webhooks w
        join events e on e.organization_id = w.organization_id
        left join webhook_deliveries d on d.webhook_id = w.id and d.created_at = e.created_at
        where w.id = ${webhookId} and e.created_at ${bound} ${after}
          and e.created_at > ${keptSince(retention)}
          and (d.id is null or d.status in ('failed', 'canceled'))
        order by e.created_at limit ${batch}`.execute(tx);
      const failed = rows.filter(({ found }) => found).map((row) => row.created_at);
      const missed = rows.filter(({ found }) => !found);
      await reopen(tx, webhookId, failed);
      await queueMissed(tx, webhookId, missed);
      await wake(tx, webhookId);
      return { missed: missed.length, failed: failed.length, last: rows.at(-1)?.created_at };
    });
    total.missed += done.missed;
    total.failed += done.failed;
    if (done.last === undefined || done.missed + done.failed < batch) return total;
    after = done.last;
  }
}

async function reopen(tx: Transaction, webhookId: string, createdAt: string[]): Promise<void> {
  await sql`
    with reopened as (
      update webhook_deliveries set status = 'pending', updated_at = clock_timestamp()
      where webhook_id = ${webhookId} and created_at = any(${createdAt}::timestamptz[])
      returning webhook_id, created_at, id, attempts
    )
    insert into webhook_queue (webhook_id, created_at, delivery_id, attempts, attempts_before)
    select webhook_id, created_at, id, attempts, attempts from reopened
    on conflict (webhook_id, created_at) do nothing`.execute(tx);
}

interface MissedEvent {
  created_at: string;
  organization_id: string;
  id: string;
  type: string;
}

async function queueMissed(tx: Transaction, webhookId: string, events: MissedEvent[]): Promise<void> {
  await sql`
    with made as (
      insert into webhook_deliveries (id, created_at, organization_id, webhook_id, event_id, event_type)
      select gen_random_uuid(), e.created_at, e.organization_id, ${webhookId}, e.id, e.type
      from json_to_recordset(${JSON.stringify(events)}::json)
        as e(created_at timestamptz, organization_id uuid, id uuid, type text)
      on conflict do nothing
      returning webhook_id, created_at, id
    )
    insert into webhook_queue (webhook_id, created_at, delivery_id)
    select webhook_id, created_at, id from made on conflict do nothing`.execute(tx);
}

async function requireEnabled(tx: Transaction, webhookId: string): Promise<void> {
  const webhook = await tx
    .selectFrom('webhooks')
    .select('disabled')
    .where('id', '=', webhookId)
    .forUpdate()
    .executeTakeFirst();
  if (webhook === undefined) throw notFound('webhook', webhookId);
  if (webhook.disabled) throw new TidemarkError('webhook_disabled', { webhook_id: webhookId });
}

async function wake(tx: Transaction, webhookId: string): Promise<void> {
  await sql`select pg_notify(${deliveryChannel}, ${webhookId})`.execute(tx);
}
