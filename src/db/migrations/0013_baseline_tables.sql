-- breaking
-- The baseline of a sync is a table of its own, model_sync_baseline_<baseline>: record_key, hash and n. A first execution
-- fills it while it plans, once and without an index; what the destination acknowledges is then one number, and not
-- one more row per record.

create table model_sync_baselines (
  baseline bigint generated always as identity primary key,
  -- No foreign keys: the table has to be dropped before this row may go.
  sync_id uuid not null,
  -- What made it. Until it has a target, nobody else may use it.
  execution_id uuid,
  -- What it is about: target, object and identity. Null while it is filled and once it is forgotten.
  target text,
  -- Hashes are stored mixed with the mapping of their time and with this one: those of the mapping it was filled under
  -- are the source's own.
  mapping_digest bigint not null,
  -- Rows with a larger n have not been acknowledged yet. Null: all have.
  acknowledged bigint
);
create unique index model_sync_baselines_sync on model_sync_baselines (sync_id) where target is not null;

do $$
declare
  sync record;
  made bigint;
begin
  for sync in select id, baseline_target from model_syncs where baseline_target is not null loop
    insert into model_sync_baselines (sync_id, target, mapping_digest) values (sync.id, sync.baseline_target, 0)
      returning baseline into made;
    execute format(
      'create table %I (record_key text collate "C" primary key, hash bigint not null, n bigint)',
      'model_sync_baseline_' || made);
    execute format(
      'insert into %I (record_key, hash) select record_key, hash from model_sync_baseline where sync_id = $1',
      'model_sync_baseline_' || made) using sync.id;
  end loop;
end
$$;
drop table model_sync_baseline;
alter table model_syncs drop column baseline_target;

-- A plan keeps its records as pieces of bytes: first, records, lines. What has not been delivered is planned anew.
do $$
declare
  stale bigint;
begin
  for stale in delete from model_sync_plans returning plan loop
    execute format('drop table if exists %I', 'model_sync_plan_' || stale);
  end loop;
end
$$;
delete from model_sync_intents;
update executions set checkpoint = null where kind = 'model' and completed_at is null;

-- Tables of deleted syncs are dropped one by one: all of an organization's in one transaction would need more locks than
-- a server has.
drop trigger model_syncs_forget on model_syncs;
drop function forget_model_sync;
