import { sql } from 'kysely';
import { type Database, takenForFew } from '../db/index.ts';
import { deliveryChannel } from './channel.ts';

/**
 * A worker that has not recorded an attempt this long (seconds) after the request's deadline is lost. One that
 * was only cut off from the database still says later what came of it, and that counts.
 */
const lease = 10;

/**
 * Hands on what dead workers had under way: the attempt counts as failed, and the next one follows at once
 * or, when it was the last, the delivery has failed.
 *
 * @param attempts a delivery gets at most. @param deadline milliseconds one request may take.
 * @param workerId known to be dead; without it, every worker that should have recorded long ago.
 */
export async function releaseDeliveries(
  db: Database,
  { attempts, deadline, workerId }: { attempts: number; deadline: number; workerId?: string },
): Promise<void> {
  const lost =
    workerId === undefined
      ? sql`worker_id is not null and claimed_at < now() - ${deadline / 1000 + lease} * interval '1 second'`
      : sql`worker_id = ${workerId}`;
  const few = sql.raw(`${takenForFew('l.attempts')} and ${takenForFew('l.attempts_before')}`);
  await sql`
    with lost as (
      select webhook_id, created_at, delivery_id, attempts, attempts_before, claimed_at,
        attempts - attempts_before >= ${attempts} as last
      from webhook_queue where ${lost} for update skip locked
    ), attempt as (
      insert into webhook_attempts (webhook_id, delivery_id, created_at, attempt, started_at, error_code, error)
      select webhook_id, delivery_id, created_at, attempts, claimed_at, 'interrupted',
        'the worker was killed before the response was recorded' from lost
      on conflict do nothing
    ), used_up as (
      delete from webhook_queue q using lost l
      where l.last and ${few} and q.webhook_id = l.webhook_id and q.created_at = l.created_at
    ), failed as (
      update webhook_deliveries d
      set status = 'failed', attempts = l.attempts, updated_at = clock_timestamp()
      from lost l
      where l.last and ${few} and d.webhook_id = l.webhook_id and d.created_at = l.created_at and d.status = 'pending'
    ), again as (
      update webhook_queue q
      set worker_id = null, claimed_at = null, retry = true, due_at = clock_timestamp()
      from lost l where not l.last and ${few} and q.webhook_id = l.webhook_id and q.created_at = l.created_at
    )
    select pg_notify(${deliveryChannel}, webhook_id::text) from (select distinct webhook_id from lost) w`.execute(
    db,
  );
}
