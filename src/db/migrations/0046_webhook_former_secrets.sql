-- compatible
-- Secrets that were replaced, each of which goes on signing for its own day. One column held the last of them alone, so that
-- a mistyped secret, corrected at once, took away the one that receivers had.

create table webhook_former_secrets (
  webhook_id uuid not null references webhooks on delete cascade,
  until timestamptz not null,
  -- Sealed (AES-256-GCM).
  secret bytea not null,
  primary key (webhook_id, until, secret)
);

insert into webhook_former_secrets (webhook_id, until, secret)
  select id, previous_secret_until, previous_secret from webhooks
  where previous_secret is not null and previous_secret_until > now();
update webhooks set previous_secret = null, previous_secret_until = null where previous_secret is not null;
