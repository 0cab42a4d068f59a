import type pg from 'pg';
import { takenForFew } from '../db/index.ts';
import type { Claimed } from './claim.ts';
import { healthOf } from './health.ts';
import type { AttemptResult } from './send.ts';

export interface Finished {
  claimed: Claimed;
  /** Null when there was nothing to send: the webhook or the event is gone. */
  result: AttemptResult | null;
  status: 'delivered' | 'failed' | 'canceled' | 'pending';
  /** Milliseconds until the next attempt; for `pending`. */
  wait: number;
}

/**
 * Everything about a batch of attempts in one statement, so there is neither a retry of a recorded success nor
 * a recorded failure without its retry. The attempt's number is the fence: a worker whose attempt was counted
 * as lost may still say what came of it, but no longer decides what comes next. When something happened is said as
 * how long ago: there is one clock, the database's.
 */
const statement = `
  with done as materialized (
    select * from json_to_recordset($2::json) as r(
      webhook_id uuid, delivery_id uuid, created_at timestamptz, attempt int, status text, wait float8,
      sent bool, endpoint text, ago float8, status_code int, error_code text, error text,
      total real, dns real, connect real, tls real, first_byte real, headers jsonb, body text)
    where ${takenForFew('attempt')}
  ), ended as (
    delete from webhook_queue q using done r
    where q.webhook_id = r.webhook_id and q.created_at = r.created_at
      and (r.status = 'delivered' or r.status <> 'pending' and q.attempts = r.attempt and q.worker_id = $1)
    returning q.webhook_id, q.created_at
  ), postponed as (
    update webhook_queue q set worker_id = null, claimed_at = null, retry = true,
      due_at = clock_timestamp() + r.wait * interval '1 millisecond'
    from done r
    where r.status = 'pending' and q.webhook_id = r.webhook_id and q.created_at = r.created_at
      and q.attempts = r.attempt and q.worker_id = $1
  ), attempts as (
    insert into webhook_attempts as a (webhook_id, delivery_id, created_at, attempt, endpoint, started_at, status_code,
      error_code, error, duration_ms, dns_ms, connect_ms, tls_ms, first_byte_ms, response_headers,
      response_body)
    select webhook_id, delivery_id, created_at, attempt, endpoint, now() - ago * interval '1 millisecond', status_code,
      error_code, error, total, dns, connect, tls, first_byte, headers, decode(body, 'base64')
    from done where sent
    on conflict (created_at, delivery_id, attempt) do update set
      endpoint = excluded.endpoint, started_at = excluded.started_at, status_code = excluded.status_code,
      error_code = excluded.error_code, error = excluded.error, duration_ms = excluded.duration_ms,
      dns_ms = excluded.dns_ms, connect_ms = excluded.connect_ms, tls_ms = excluded.tls_ms,
      first_byte_ms = excluded.first_byte_ms, response_headers = excluded.response_headers,
      response_body = excluded.response_body
  ), health as (
    insert into webhook_health as h (webhook_id, last_success_at, last_failure_at, consecutive_failures)
    select s.webhook_id, s.last_success_at, s.last_failure_at, s.failures
    from (
      select webhook_id, failures, now() - success_ago * interval '1 millisecond' as last_success_at,
        now() - failure_ago * interval '1 millisecond' as last_failure_at
      from json_to_recordset($3::json) as r(
        webhook_id uuid, success_ago float8, failure_ago float8, failures int)
      where ${takenForFew('failures')}
    ) s
    join webhooks w on w.id = s.webhook_id
    left join webhook_health h on h.webhook_id = s.webhook_id
    -- An endpoint that only succeeds is written once a second, not once a batch.
    where s.last_failure_at is not null or h.webhook_id is null or h.consecutive_failures > 0
      or s.last_success_at >= coalesce(h.last_success_at, '-infinity') + interval '1 second'
    order by s.webhook_id
    on conflict (webhook_id) do update set
      last_success_at = greatest(h.last_success_at, excluded.last_success_at),
      last_failure_at = greatest(h.last_failure_at, excluded.last_failure_at),
      consecutive_failures = excluded.consecutive_failures
        + case when excluded.last_success_at is null then h.consecutive_failures else 0 end
  )
  update webhook_deliveries d
  set status = r.status, attempts = greatest(d.attempts, r.attempt), updated_at = clock_timestamp()
  from done r
  where d.webhook_id = r.webhook_id and d.created_at = r.created_at
    and (r.status = 'delivered' or r.status <> 'pending' and d.status = 'pending'
      and exists (select from ended e where e.webhook_id = r.webhook_id and e.created_at = r.created_at))`;

export async function recordAttempts(
  pool: pg.Pool,
  workerId: string,
  batch: readonly Finished[],
): Promise<void> {
  const now = performance.now();
  await pool.query({
    name: 'record_attempts',
    text: statement,
    values: [
      workerId,
      JSON.stringify(batch.map((one) => toRow(one, now))),
      JSON.stringify(healthOf(batch, now)),
    ],
  });
}

/** What is null is left out: for the database that is the same and a third less to read. */
function toRow({ claimed, result, status, wait }: Finished, now: number) {
  return {
    webhook_id: claimed.webhookId,
    delivery_id: claimed.deliveryId,
    created_at: claimed.createdAt,
    attempt: claimed.attempt,
    status,
    wait,
    sent: result !== null,
    endpoint: result?.endpoint,
    ago: now - (result?.started ?? now),
    status_code: result?.statusCode,
    error_code: result?.errorCode ?? undefined,
    error: result?.error ?? undefined,
    total: result?.timing.total,
    dns: result?.timing.dns ?? undefined,
    connect: result?.timing.connect ?? undefined,
    tls: result?.timing.tls ?? undefined,
    first_byte: result?.timing.firstByte,
    headers: result?.headers,
    body: result?.body?.toString('base64'),
  };
}
