-- compatible
-- A text sealed with the encryption key in use. A server or worker that cannot open it has another key, and finds out
-- before it does anything, not when the first secret is needed.

create table encryption_canary (
  is_only boolean primary key default true check (is_only),
  sealed bytea not null,
  updated_at timestamptz not null default now()
);
