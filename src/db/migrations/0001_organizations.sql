-- compatible
-- Tenants, the people in them, and the keys they call with.

create table organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  sso_domain text,
  sso_org_id text,
  issuer text,
  client_id text,
  -- Sealed (AES-256-GCM); the API never returns it.
  client_secret bytea,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table users (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  email text not null,
  role text not null check (role in ('admin', 'user')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (organization_id, email)
);

create table api_keys (
  -- SHA-256 of the key: the key itself is shown once and never stored.
  hash bytea primary key,
  user_id uuid not null references users on delete cascade,
  organization_id uuid not null references organizations on delete cascade,
  created_at timestamptz not null default now()
);
create index api_keys_user on api_keys (user_id);

-- Outcomes of requests that carried an Idempotency-Key, kept 24 h.
create table idempotency_keys (
  -- SHA-256 of caller, method, path and key.
  scope bytea primary key,
  -- SHA-256 of the body: a key that comes back with another request is refused.
  request_hash bytea not null,
  -- Null while the first request is in flight.
  status int,
  content_type text,
  body bytea,
  created_at timestamptz not null default now()
);
create index idempotency_keys_age on idempotency_keys (created_at);
