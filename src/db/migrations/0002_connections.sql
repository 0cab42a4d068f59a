-- compatible
-- Configured connectors and the cached catalogue of what each source offers.

create table connections (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  name text not null,
  type text not null,
  -- Without the sensitive keys: those are in `secrets`.
  configuration jsonb not null default '{}',
  -- The sensitive keys as one JSON object, sealed with AES-256-GCM. Null when there are none.
  secrets bytea,
  status text not null default 'healthy',
  status_error text,
  healthcheck_interval text,
  policies uuid[] not null default '{}',
  schemas_refresh_started_at timestamptz,
  schemas_refresh_finished_at timestamptz,
  schemas_refresh_error text,
  created_by jsonb,
  updated_by jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, name)
);

-- One row per schema (a table or object) of a source connection, as of its last refresh.
create table connection_schemas (
  connection_id uuid not null references connections on delete cascade,
  id text not null,
  name text not null,
  position int not null,
  -- SchemaField[] in source order.
  fields jsonb not null,
  primary key (connection_id, id)
);
