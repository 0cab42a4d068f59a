-- compatible
-- What enrichment services answered, so that a record that did not change is not asked for again.

create table enrichment_cache (
  connection_id uuid not null references connections on delete cascade,
  -- SHA-256 of the request.
  digest bytea not null,
  -- JSON text; null: there is nothing.
  answer text,
  fetched_at timestamptz not null default now(),
  primary key (connection_id, digest)
);
create index enrichment_cache_age on enrichment_cache (connection_id, fetched_at);
