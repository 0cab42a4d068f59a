import type pg from 'pg';
import { takenForFew } from '../db/index.ts';

/** How many deliveries of one webhook a worker has room for. First tries and retries are taken apart. */
export interface Wanted {
  webhookId: string;
  retry: boolean;
  count: number;
}

/** One attempt, counted and ready to be sent. */
export interface Claimed {
  webhookId: string;
  deliveryId: string;
  /** The event's and the delivery's: their key in partitioned tables. */
  createdAt: string;
  organizationId: string;
  retry: boolean;
  /** Number of this attempt, from 1. */
  attempt: number;
  /** Attempts before the last resend. */
  attemptsBefore: number;
  /** Null when the webhook was deleted: there is nowhere to send to. */
  endpoint: string | null;
  disabled: boolean;
  secret: Buffer;
  /** Secrets that were replaced and still sign, newest first. */
  formerSecrets: Buffer[];
  /** Null when the event is older than the retention. */
  eventId: string | null;
  eventType: string;
  /** JSON text of the payload. */
  event: string;
}

const statement = `
  with wanted as (
    select * from unnest($2::uuid[], $3::bool[], $4::int[]) as w(webhook_id, retry, count)
  ), due as materialized (
    select q.place from wanted w cross join lateral (
      select ctid as place from webhook_queue
      where webhook_id = w.webhook_id and worker_id is null and retry = w.retry and due_at <= now()
      order by due_at limit w.count for update skip locked
    ) q
  ), claimed as (
    update webhook_queue q set worker_id = $1, claimed_at = clock_timestamp(), attempts = q.attempts + 1
    where q.ctid = any (array(select place from due))
    returning q.*
  )
  select q.webhook_id as "webhookId", q.delivery_id as "deliveryId", q.created_at as "createdAt",
    w.organization_id as "organizationId", q.retry, q.attempts as attempt,
    q.attempts_before as "attemptsBefore", w.endpoint, w.disabled, w.secret,
    array(select s.secret from webhook_former_secrets s where s.webhook_id = w.id and s.until > now()
      order by s.until desc) as "formerSecrets",
    e.id as "eventId", e.type as "eventType", e.event
  from claimed q
  left join lateral (select * from webhooks where id = q.webhook_id offset 0) w on true
  left join lateral (
    select id, type, event from events
    where organization_id = w.organization_id and created_at = q.created_at offset 0
  ) e on true`;

/**
 * Takes the next attempts, oldest first, for several webhooks in one statement. An attempt is counted before
 * it is sent: a worker that is killed in between has used it up, and the next goes out with the same
 * webhook-id. That is the one way a receiver can see an event twice.
 *
 * What a webhook has waiting costs nothing until it is wanted, so a backlog delays nobody else.
 */
export async function claimDeliveries(
  pool: pg.Pool,
  workerId: string,
  wanted: readonly Wanted[],
): Promise<Claimed[]> {
  const { rows } = await pool.query<Claimed>({
    name: 'claim_deliveries',
    text: statement,
    values: [
      workerId,
      wanted.map(({ webhookId }) => webhookId),
      wanted.map(({ retry }) => retry),
      wanted.map(({ count }) => count),
    ],
  });
  return rows;
}

/** Gives back what was claimed and not sent: it does not count as an attempt. */
export async function returnDeliveries(
  pool: pg.Pool,
  workerId: string,
  claimed: readonly Pick<Claimed, 'webhookId' | 'createdAt' | 'attempt'>[],
): Promise<void> {
  await pool.query(
    `update webhook_queue q set worker_id = null, claimed_at = null, attempts = q.attempts - 1
     from unnest($2::uuid[], $3::timestamptz[], $4::int[]) as r(webhook_id, created_at, attempt)
     where q.webhook_id = r.webhook_id and q.created_at = r.created_at and q.attempts = r.attempt
       and q.worker_id = $1 and ${takenForFew('r.attempt')}`,
    [
      workerId,
      claimed.map(({ webhookId }) => webhookId),
      claimed.map(({ createdAt }) => createdAt),
      claimed.map(({ attempt }) => attempt),
    ],
  );
}

/**
 * Webhooks that have something due now, by hopping over the index from one webhook to the next: the price
 * depends on the webhooks with anything queued, not on how much.
 */
export async function findDue(pool: pg.Pool): Promise<Omit<Wanted, 'count'>[]> {
  const { rows } = await pool.query<Omit<Wanted, 'count'>>({
    name: 'find_due',
    text: `
      with recursive hop as (
        (select webhook_id from webhook_queue where worker_id is null order by webhook_id limit 1)
        union all
        select (select q.webhook_id from webhook_queue q
                where q.worker_id is null and q.webhook_id > hop.webhook_id order by q.webhook_id limit 1)
        from hop where hop.webhook_id is not null
      )
      select hop.webhook_id as "webhookId", lane.retry
      from hop cross join (values (false), (true)) as lane(retry) cross join lateral (
        select from webhook_queue q where q.worker_id is null and q.webhook_id = hop.webhook_id
          and q.retry = lane.retry and q.due_at <= now() limit 1) due
      where hop.webhook_id is not null`,
  });
  return rows;
}
