-- compatible
-- Keys may end by themselves. The one that TIDEMARK_API_KEY set is known, so that the next one takes its place; and the
-- organization of the first start is known, so that no other is ever taken for it.

alter table api_keys
  add column expires_at timestamptz,
  add column configured boolean not null default false;

alter table organizations add column is_owner boolean not null default false;
update organizations set is_owner = true
  where id = (select id from organizations order by created_at, id limit 1);
create unique index organizations_owner on organizations (is_owner) where is_owner;

update api_keys set configured = true
  where name = 'TIDEMARK_API_KEY' and organization_id = (select id from organizations where is_owner);
