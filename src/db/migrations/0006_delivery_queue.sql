-- breaking
-- Deliveries get a queue of their own: one small table of what is pending, claimed and finished in batches.
-- A pg-boss job per attempt cost three more row writes, a query per free place, and a second truth to guard.

-- The secret before the last change, which signs too until then.
alter table webhooks
  add column previous_secret bytea,
  add column previous_secret_until timestamptz;

-- How an endpoint is doing. Apart from webhooks, whose rows every claim reads.
create table webhook_health (
  webhook_id uuid primary key references webhooks on delete cascade,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  -- Attempts that failed since the last success.
  consecutive_failures bigint not null default 0
);

create table webhook_queue (
  webhook_id uuid not null,
  -- The event's created_at, which names the event and the delivery.
  created_at timestamptz not null,
  delivery_id uuid not null,
  -- Attempts made, the one under way included: counted before anything is sent.
  attempts int not null default 0,
  -- Attempts before the last resend: the schedule starts over from there.
  attempts_before int not null default 0,
  retry boolean not null default false,
  due_at timestamptz not null default clock_timestamp(),
  -- The worker that has an attempt under way, and since when.
  worker_id uuid,
  claimed_at timestamptz,
  primary key (webhook_id, created_at)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index webhook_queue_waiting on webhook_queue (webhook_id, retry, due_at) where worker_id is null;

insert into webhook_queue (webhook_id, created_at, delivery_id, attempts, retry)
select webhook_id, created_at, id, attempts, attempts > 0 from webhook_deliveries where status = 'pending';

drop index webhook_deliveries_webhook;
alter table webhook_deliveries
  drop constraint webhook_deliveries_pkey,
  drop column next_attempt_at,
  drop column job_id,
  drop column worker_id,
  -- One delivery per event and webhook: sending again adds attempts to it.
  add primary key (webhook_id, created_at);
create index webhook_deliveries_id on webhook_deliveries (id);

alter table webhook_attempts
  -- Where it went: the webhook's URL may have changed since.
  add column endpoint text,
  -- refused_address, dns, connect, tls, timeout, reset, invalid_url, status, secret, interrupted; null after a 2xx.
  add column error_code text,
  alter column duration_ms type real,
  -- Null on a connection that was open already, or not reached.
  add column dns_ms real,
  add column connect_ms real,
  add column tls_ms real,
  add column first_byte_ms real,
  add column response_headers jsonb,
  -- At most 64 KiB.
  add column response_body bytea;
