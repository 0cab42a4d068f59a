-- compatible
-- Whose a table in a destination is, and which of its columns is whose.

-- The tables of a deleted sync are for the next one of its organization; those of a sync that is not known at all are
-- another server's. Whatever deletes a sync leaves a row, unless its organization goes, too.
create table deleted_bulk_syncs (
  id uuid primary key,
  organization_id uuid not null references organizations on delete cascade
);

create function remember_deleted_bulk_sync() returns trigger language plpgsql as $$
begin
  insert into deleted_bulk_syncs (id, organization_id)
  select old.id, id from organizations where id = old.organization_id;
  return null;
end
$$;
create trigger bulk_syncs_deleted after delete on bulk_syncs
  for each row execute function remember_deleted_bulk_sync();

-- [{ column, name, naming }]: what columns of the source are called in the destination, also those that are not read any
-- more: their values are still there. Null: no name was given yet.
alter table bulk_sync_schemas add column column_names jsonb;
