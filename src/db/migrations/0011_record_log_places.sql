-- compatible
-- Record logs may be in an object store, where nothing can be appended to: a file is parts, each written once, and
-- `parts` says how many of them count. Null for a file of the local folder, of which the first `bytes` count.
alter table record_log_files add column parts integer;

-- Its record logs were removed: there may have been some.
alter table executions add column logs_removed_at timestamptz;
create index executions_logged on executions (completed_at)
  where completed_at is not null and logs_removed_at is null;
create index executions_completed on executions (completed_at) where completed_at is not null;

-- Executions whose stored files are to be compared with what is on record: what is not on record goes. That is what
-- killed workers left, and everything once the record logs or the execution itself are gone, whoever removed it.
create table record_log_sweeps (
  -- No foreign keys: it outlives both.
  execution_id uuid primary key,
  organization_id uuid not null,
  due_at timestamptz not null
);
create index record_log_sweeps_due on record_log_sweeps (due_at);

create function sweep_record_logs() returns trigger language plpgsql as $$
begin
  -- A worker that lost its claim may not have noticed yet, and be writing a last time.
  insert into record_log_sweeps (execution_id, organization_id, due_at)
  values (old.id, old.organization_id, clock_timestamp() + interval '1 minute')
  on conflict (execution_id) do update set due_at = excluded.due_at;
  return null;
end
$$;
create trigger executions_deleted after delete on executions
  for each row execute function sweep_record_logs();
create trigger executions_ended after update on executions
  for each row when (
    (old.completed_at is null and new.completed_at is not null)
    or (old.logs_removed_at is null and new.logs_removed_at is not null))
  execute function sweep_record_logs();
