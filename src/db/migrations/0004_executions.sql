-- compatible
-- One row per run of a model sync or a bulk sync. Every change of `status` is made by
-- executions/transition.ts together with its event and webhook jobs, in one transaction.

create table executions (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  kind text not null check (kind in ('model', 'bulk')),
  -- A model sync or a bulk sync. No foreign key: deleting a sync deletes its executions in code,
  -- after the running one has been canceled.
  sync_id uuid not null,
  status text not null,
  -- manual or scheduled.
  trigger text not null,
  -- The start request: resync, test, identities, schemas, resync_mode.
  options jsonb not null default '{}',
  -- What events say about the sync, frozen at the start: name and connection ids.
  subject jsonb not null,
  -- Model counts: total, insert, update, upserts, delete, error, warnings. Bulk: records, errors, warnings.
  counts jsonb not null default '{}',
  errors text[] not null default '{}',
  status_message text,
  -- Where the next worker goes on. Shape belongs to the runner of this kind.
  checkpoint jsonb,
  -- Changes every time a worker takes the execution; a worker whose claim is not here any more must stop.
  claim uuid,
  worker_id uuid,
  -- How many workers have taken it: one that keeps killing its worker is given up.
  claims int not null default 0,
  -- The pg-boss job that carries it.
  job_id uuid,
  cancel_requested_at timestamptz,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz not null default clock_timestamp()
);
-- At most one unfinished execution per sync: the second start violates this and becomes a 409.
create unique index executions_one_running on executions (sync_id)
  where status in ('created', 'queued', 'running', 'canceling');
create index executions_sync on executions (sync_id, created_at desc, id);
create index executions_worker on executions (worker_id) where status in ('running', 'canceling');

create table bulk_schema_executions (
  execution_id uuid not null references executions on delete cascade,
  schema_id text not null,
  output_name text not null,
  status text not null,
  status_message text,
  record_count bigint not null default 0,
  byte_count bigint not null default 0,
  estimated_count bigint,
  error_count bigint not null default 0,
  warning_count bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  completed_at timestamptz,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (execution_id, schema_id)
);

create table execution_console (
  execution_id uuid not null references executions on delete cascade,
  -- Milliseconds and a counter, <ms>-<n>: the cursor clients page with.
  id text not null,
  schema_id text,
  level text not null,
  message text not null,
  payload jsonb,
  timestamp timestamptz not null,
  primary key (execution_id, id)
);

-- Files of record logs. On disk a file is a JSON array without its closing bracket until `closed`;
-- only the first `bytes` bytes are acknowledged, whatever a killed worker wrote after them.
create table record_log_files (
  id uuid primary key default gen_random_uuid(),
  execution_id uuid not null references executions on delete cascade,
  type text not null check (type in ('records', 'errors', 'warnings', 'inserts', 'updates', 'deletes')),
  filename text not null,
  bytes bigint not null default 0,
  records bigint not null default 0,
  closed boolean not null default false,
  created_at timestamptz not null default clock_timestamp(),
  unique (execution_id, type, filename)
);

-- What the destination of a model sync last acknowledged, per record. Here and in the plan no foreign keys:
-- they would be checked once per record. A trigger deletes the rows of a deleted sync instead.
create table model_sync_baseline (
  sync_id uuid not null,
  -- Text of the identity value. Compared as bytes: fast, and the same on every server.
  record_key text collate "C" not null,
  -- 64-bit hash of the mapped fields and of the mapping: another mapping changes every record.
  hash bigint not null,
  primary key (sync_id, record_key)
);

-- The records an execution still has to deliver: filled once, then emptied as records are acknowledged.
-- `plan` is new for every attempt to plan and becomes the execution's by its checkpoint, so that a worker
-- that lost its claim while planning leaves nothing in its successor's way.
create table model_sync_plan (
  sync_id uuid not null,
  plan bigint not null,
  record_key text collate "C" not null,
  primary key (sync_id, plan, record_key)
);
create sequence model_sync_plans;

create function forget_model_sync() returns trigger language plpgsql as $$
begin
  delete from model_sync_baseline where sync_id = old.id;
  delete from model_sync_plan where sync_id = old.id;
  return null;
end
$$;
create trigger model_syncs_forget after delete on model_syncs
  for each row execute function forget_model_sync();

-- A batch whose destination transaction was prepared but not yet known to be committed. After a crash
-- the destination is asked what became of `token`, so that no record is counted or sent twice.
create table model_sync_intents (
  execution_id uuid primary key references executions on delete cascade,
  token text not null,
  -- Keys, hashes and results of the batch, see model-syncs/intents.ts.
  results jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);
