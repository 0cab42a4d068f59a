-- compatible
-- A user may have several keys, so each can be told from the others, and revoked, without knowing it.

alter table api_keys
  add column id uuid not null default gen_random_uuid(),
  add column name text;
create unique index api_keys_id on api_keys (id);
