-- compatible
-- The event log and what became of every delivery. The three log tables are partitioned by time:
-- retention drops whole partitions (db/partitions.ts), so cost does not grow with history.

-- The last timestamp handed out per organization. Its row lock is held until commit, so events of one
-- organization commit in created_at order: a cursor on created_at skips nothing.
create table event_heads (
  organization_id uuid primary key references organizations on delete cascade,
  head timestamptz not null
);

create table events (
  organization_id uuid not null,
  created_at timestamptz not null,
  id uuid not null,
  type text not null,
  -- The payload as it is sent, serialized once: byte for byte what was signed.
  event text not null,
  primary key (organization_id, created_at)
) partition by range (created_at);
create index events_id on events (id);

create table webhooks (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null unique references organizations on delete cascade,
  endpoint text not null,
  -- Sealed with AES-256-GCM.
  secret bytea not null,
  disabled boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- One event on its way to one webhook.
create table webhook_deliveries (
  id uuid not null,
  created_at timestamptz not null,
  organization_id uuid not null,
  webhook_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  -- pending, delivered, failed (six attempts used up), canceled (webhook deleted or disabled).
  status text not null default 'pending',
  -- Counted up before a request is sent, so that a crash can never lead to a seventh.
  attempts int not null default 0,
  next_attempt_at timestamptz,
  -- The one job that may take the next attempt: a job that was replaced finds another id here.
  job_id uuid,
  worker_id uuid,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (created_at, id)
) partition by range (created_at);
create index webhook_deliveries_webhook on webhook_deliveries (webhook_id, created_at desc, id);

create table webhook_attempts (
  delivery_id uuid not null,
  -- The delivery's created_at: same partition key, so both go in the same drop.
  created_at timestamptz not null,
  attempt int not null,
  started_at timestamptz not null,
  duration_ms int,
  -- Null when no response arrived.
  status_code int,
  -- In words; null after a 2xx.
  error text,
  primary key (created_at, delivery_id, attempt)
) partition by range (created_at);
