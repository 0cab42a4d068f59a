import type { Database } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import type { Actor } from '../organizations/index.ts';
import {
  checkTiming,
  type Schedule,
  type ScheduleDraft,
  type ScheduleSettings,
  saveSchedules,
  schedulesOf,
} from '../schedules/index.ts';
import type { BulkScheduleItem, BulkScheduleRequest } from '../schema/bulk-schedule.ts';
import { additionalSettings } from './schedule-drafts.ts';
import { selectedSchemas } from './selected-schemas.ts';
import { getBulkSync, touchBulkSync } from './store.ts';

/** The schedules of one sync as a resource of their own: the same rows as the members of the sync. */
export async function listBulkSchedules(
  db: Database,
  organizationId: string,
  syncId: string,
): Promise<BulkScheduleItem[]> {
  const sync = await getBulkSync(db, organizationId, syncId);
  return ((await schedulesOf(db, [sync.id])).get(sync.id) ?? []).map(present);
}

export async function getBulkSchedule(
  db: Database,
  organizationId: string,
  syncId: string,
  id: string,
): Promise<BulkScheduleItem> {
  const found = (await listBulkSchedules(db, organizationId, syncId)).find((one) => one.id === id);
  if (found === undefined) throw notFound('schedule', id);
  return found;
}

/** Adds a schedule to those the sync has. */
export async function createBulkSchedule(
  db: Database,
  organizationId: string,
  actor: Actor,
  syncId: string,
  request: BulkScheduleRequest,
): Promise<BulkScheduleItem> {
  const ids = await change(db, organizationId, actor, syncId, (current, schemas) => [
    ...current,
    { settings: settingsOf(request, schemas) },
  ]);
  return getBulkSchedule(db, organizationId, syncId, ids.at(-1) ?? '');
}

/** Replaces a schedule. Its schemas and sync mode, which clients have no member for, stay when they are left out. */
export async function updateBulkSchedule(
  db: Database,
  organizationId: string,
  actor: Actor,
  syncId: string,
  id: string,
  request: BulkScheduleRequest,
): Promise<BulkScheduleItem> {
  await change(db, organizationId, actor, syncId, (current, schemas) => {
    const { isDefault, settings } = find(current, id);
    const replaced = isDefault ? defaultSettings(request) : settingsOf(request, schemas, settings);
    return current.map((one) => (one.id === id ? { id, settings: replaced } : one));
  });
  return getBulkSchedule(db, organizationId, syncId, id);
}

export async function deleteBulkSchedule(
  db: Database,
  organizationId: string,
  actor: Actor,
  syncId: string,
  id: string,
): Promise<void> {
  await change(db, organizationId, actor, syncId, (current) => {
    if (find(current, id).isDefault) {
      const reason = 'The default schedule cannot be deleted: update its frequency to manual';
      throw new TidemarkError('bad_request', { reason });
    }
    return current.filter((one) => one.id !== id);
  });
}

/** @returns ids of the schedules that `edit` made of the current ones. */
async function change(
  db: Database,
  organizationId: string,
  actor: Actor,
  syncId: string,
  edit: (current: readonly Schedule[], schemas: readonly string[]) => ScheduleDraft[],
): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const sync = await touchBulkSync(tx, organizationId, actor, syncId);
    const current = (await schedulesOf(tx, [sync.id])).get(sync.id) ?? [];
    const schemas = (await selectedSchemas(tx, sync.id)).map(({ id }) => id);
    return saveSchedules(tx, { ...sync, kind: 'bulk' }, actor, edit(current, schemas));
  });
}

function find(schedules: readonly Schedule[], id: string): Schedule {
  const found = schedules.find((one) => one.id === id);
  if (found === undefined) throw notFound('schedule', id);
  return found;
}

function settingsOf(
  request: BulkScheduleRequest,
  schemas: readonly string[],
  current?: ScheduleSettings,
): ScheduleSettings {
  const settings = {
    ...timingOf(request),
    selective_mode: request.selectiveMode,
    resync_mode: request.syncMode ?? current?.resync_mode,
    schemas: request.schemas ?? current?.schemas,
  };
  return additionalSettings(settings, schemas, fieldOf);
}

/** The default schedule is for whatever no other is for. */
function defaultSettings(request: BulkScheduleRequest): ScheduleSettings {
  const { selectiveMode, syncMode, schemas } = request;
  const said = Object.entries({
    selectiveMode: (selectiveMode ?? 'none') !== 'none',
    syncMode: (syncMode ?? 'normal') !== 'normal',
    schemas: (schemas ?? []).length > 0,
  }).find(([, wrong]) => wrong);
  if (said === undefined) return checkTiming(timingOf(request), fieldOf);
  const reason = 'is for additional schedules: create one, the default schedule leaves its schemas to it';
  throw new TidemarkError('invalid_field', { field: `schedule.${said[0]}`, reason });
}

function timingOf({ dayOfMonth, dayOfWeek, ...request }: BulkScheduleRequest) {
  const { frequency, minute, hour, month } = request;
  return { frequency, minute, hour, month, day_of_month: dayOfMonth, day_of_week: dayOfWeek };
}

const fieldOf = (member: string) =>
  `schedule.${member.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())}`;

function present(schedule: Schedule): BulkScheduleItem {
  const { settings, createdBy, updatedBy } = schedule;
  const { day_of_month: dayOfMonth, day_of_week: dayOfWeek, minute, hour, month } = settings;
  return {
    id: schedule.id,
    syncId: schedule.syncId,
    isDefault: schedule.isDefault,
    frequency: settings.frequency,
    ...(minute === undefined ? {} : { minute }),
    ...(hour === undefined ? {} : { hour }),
    ...(dayOfMonth === undefined ? {} : { dayOfMonth }),
    ...(month === undefined ? {} : { month }),
    ...(dayOfWeek === undefined ? {} : { dayOfWeek }),
    selectiveMode: settings.selective_mode ?? 'none',
    syncMode: settings.resync_mode ?? 'normal',
    schemas: settings.schemas ?? [],
    createdAt: schedule.createdAt,
    updatedAt: schedule.updatedAt,
    ...(createdBy === null ? {} : { createdBy: createdBy.name }),
    ...(updatedBy === null ? {} : { updatedBy: updatedBy.name }),
  };
}
