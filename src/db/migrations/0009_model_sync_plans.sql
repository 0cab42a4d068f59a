-- breaking
-- What an execution has to deliver is written down in full, in a table of its own: filled by COPY, read in order,
-- and dropped instead of deleted row by row. How far delivery has come is one number.

drop table model_sync_plan;
drop sequence model_sync_plans;

create table model_sync_plans (
  -- Its records are in the table model_sync_plan_<plan>: n, record_key, hash, record.
  plan bigint generated always as identity primary key,
  sync_id uuid not null,
  -- No foreign key: the table has to be dropped before this row may go.
  execution_id uuid not null,
  -- Every record up to this n has been answered for.
  delivered bigint not null default 0,
  -- All have been: the table is gone.
  finished boolean not null default false
);
create index model_sync_plans_sync on model_sync_plans (sync_id);

create or replace function forget_model_sync() returns trigger language plpgsql as $$
declare
  stale bigint;
begin
  delete from model_sync_baseline where sync_id = old.id;
  for stale in delete from model_sync_plans where sync_id = old.id returning plan loop
    execute format('drop table if exists %I.%I', tg_table_schema, 'model_sync_plan_' || stale);
  end loop;
  return null;
end
$$;
