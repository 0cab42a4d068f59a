-- breaking
-- When syncs start by themselves. Schedules leave the definitions of their syncs: one row each, so that a start and
-- the time of the next one change in one transaction, and every server may look for what is due.

create table schedules (
  id uuid primary key default gen_random_uuid(),
  organization_id uuid not null references organizations on delete cascade,
  kind text not null check (kind in ('model', 'bulk')),
  -- A model sync or a bulk sync; triggers below remove the schedules of one that is deleted.
  sync_id uuid not null,
  -- 0 is the default schedule; additional ones of a bulk sync follow in the order they were given.
  position int not null,
  -- Members as on the wire: frequency, minute, hour, day_of_week, day_of_month, month; run_after,
  -- run_after_success_only; selective_mode, schemas, resync_mode.
  settings jsonb not null,
  -- The syncs whose end makes this due. Empty while the sync is not active.
  run_after uuid[] not null default '{}',
  -- Due since or from then on; waits for a running execution. Null while the sync is not active, too.
  next_run_at timestamptz,
  created_by jsonb,
  updated_by jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index schedules_default on schedules (sync_id) where position = 0;
create index schedules_sync on schedules (sync_id, position);
create index schedules_due on schedules (next_run_at) where next_run_at is not null;
create index schedules_run_after on schedules using gin (run_after);

create function forget_schedules() returns trigger language plpgsql as $$
begin
  delete from schedules where sync_id = old.id;
  return null;
end
$$;
create trigger model_syncs_forget_schedules after delete on model_syncs
  for each row execute function forget_schedules();
create trigger bulk_syncs_forget_schedules after delete on bulk_syncs
  for each row execute function forget_schedules();

-- Schedules had no effect so far, and a model sync could only be manual. What an active bulk sync was scheduled for
-- has been missed, so it runs once after this.
insert into schedules (organization_id, kind, sync_id, position, settings, created_by, updated_by, created_at, updated_at)
select organization_id, 'model', id, 0, '{"frequency": "manual"}', created_by, updated_by, created_at, updated_at
from model_syncs;

insert into schedules (organization_id, kind, sync_id, position, settings, next_run_at, created_by, updated_by,
  created_at, updated_at)
select organization_id, 'bulk', sync.id, given.position, jsonb_strip_nulls(jsonb_build_object(
    'frequency', kept.frequency,
    'minute', schedule -> 'minute', 'hour', schedule -> 'hour', 'day_of_week', schedule -> 'day_of_week',
    'day_of_month', schedule -> 'day_of_month', 'month', schedule -> 'month',
    'selective_mode', schedule -> 'selective_mode', 'resync_mode', schedule -> 'resync_mode',
    'schemas', schedule -> 'schemas')),
  case when active and kept.frequency <> 'manual' then now() end, created_by, updated_by, created_at, updated_at
from bulk_syncs as sync
cross join lateral (
  select definition -> 'defaultSchedule', 0
  union all
  select value, ordinality::int
  from jsonb_array_elements(definition -> 'additionalSchedules') with ordinality
) as given (schedule, position)
cross join lateral (
  select case when schedule ->> 'frequency' in ('continuous', 'hourly', 'daily', 'weekly', 'custom', 'builder')
    then schedule ->> 'frequency' else 'manual' end
) as kept (frequency);

update model_syncs set definition = definition - 'schedule';
update bulk_syncs set definition = definition - 'defaultSchedule' - 'additionalSchedules';
