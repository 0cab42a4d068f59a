-- compatible
-- What a bulk sync remembers between executions and inside one.

-- How the schema is being read: the ranges and the position that goes with them. A run that takes over goes on with it.
alter table bulk_schema_executions add column plan jsonb;
-- Where it goes, settled at the start: editing the sync changes its next execution.
alter table bulk_schema_executions add column output_schema text;
-- Set by the operation that cancels one schema of a running execution.
alter table bulk_schema_executions add column cancel_requested boolean not null default false;

-- Where the schema went: a name once given is kept, whatever other schemas come and go.
alter table bulk_sync_schemas add column output jsonb;

-- Schemas the source had when the sync was created or last started: others are new. Null: not recorded then.
alter table bulk_syncs add column known_schemas text[];

-- Primary keys that a user gave a schema in place of those of the source.
create table connection_schema_keys (
  connection_id uuid not null references connections on delete cascade,
  schema_id text not null,
  -- Names of the fields, in key order; the source's own key applies where there is no row.
  fields text[] not null,
  primary key (connection_id, schema_id)
);

-- What obfuscated values are salted with, so that equal values stay equal: sealed with AES-256-GCM, made on first use.
alter table organizations add column obfuscation_salt bytea;
