-- compatible
-- Requests about models that are answered later (`async=true`). What is asked and answered may hold values of records:
-- both are sealed.

create table model_jobs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  type text not null,
  request bytea not null,
  status text not null default 'created' check (status in ('created', 'running', 'done', 'failed')),
  -- JSON text.
  result bytea,
  error text,
  created_at timestamptz not null default now()
);
create index model_jobs_created on model_jobs (created_at);
