-- compatible
-- What users define: models, model syncs, bulk syncs. Columns are what is queried or joined;
-- `definition` is the rest of the request as the API accepted it.

create table models (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  connection_id uuid not null references connections on delete cascade,
  name text not null,
  configuration jsonb not null,
  identifier text,
  -- ModelField[]: the selected fields with their types, in source order.
  fields jsonb not null default '[]',
  -- labels, trackingColumns.
  definition jsonb not null default '{}',
  version int not null default 1,
  created_by jsonb,
  updated_by jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index models_organization on models (organization_id, updated_at desc, id);
create index models_connection on models (connection_id);

create table model_syncs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null,
  mode text not null,
  active boolean not null default false,
  model_ids uuid[] not null default '{}',
  target_connection_id uuid not null references connections on delete cascade,
  target_object text not null,
  -- target configuration, identity, fields, schedule, flags.
  definition jsonb not null,
  -- The encryption passphrase: write-only, sealed.
  encryption_passphrase bytea,
  -- What the baseline is about: target, object and identity as of the last plan. Null before the first one.
  -- Once one of them changes, the baseline says nothing about the new target and is dropped by the next plan.
  baseline_target text,
  created_by jsonb,
  updated_by jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index model_syncs_organization on model_syncs (organization_id, updated_at desc, id);
create index model_syncs_target on model_syncs (target_connection_id);

create table bulk_syncs (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null,
  mode text not null check (mode in ('replicate', 'snapshot')),
  active boolean not null default false,
  source_connection_id uuid not null references connections on delete cascade,
  destination_connection_id uuid not null references connections on delete cascade,
  -- destination_configuration, source_configuration, schedules, discovery, naming, limits, policies.
  definition jsonb not null,
  created_by jsonb,
  updated_by jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index bulk_syncs_organization on bulk_syncs (organization_id, updated_at desc, id);
create index bulk_syncs_source on bulk_syncs (source_connection_id);
create index bulk_syncs_destination on bulk_syncs (destination_connection_id);

create table bulk_sync_schemas (
  bulk_sync_id uuid not null references bulk_syncs on delete cascade,
  -- The source's schema id, e.g. public.users.
  id text not null,
  enabled boolean not null default true,
  -- fields, filters, tracking_field, partition_key, user_output_name, cutoffs.
  configuration jsonb not null default '{}',
  primary key (bulk_sync_id, id)
);
