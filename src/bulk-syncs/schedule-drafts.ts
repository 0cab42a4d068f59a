import { TidemarkError } from '../errors.ts';
import { orMeant } from '../lib/near-name.ts';
import { checkTiming, type Schedule, type ScheduleDraft, type ScheduleSettings } from '../schedules/index.ts';
import type { AdditionalBulkSchedule, BulkSchedule } from '../schema/bulk-schedule.ts';
import type { BulkSyncRequest } from '../schema/bulk-sync.ts';
import type { Generation } from './draft.ts';

/**
 * Reads the schedules of a request of any generation, the default one first.
 *
 * @param current the schedules so far: clients of before 2025-09-18 know of the default alone, so the others stay.
 * @param schemas the ids of the sync's schemas.
 * @throws invalid_field
 */
export function draftSchedules(
  request: BulkSyncRequest,
  generation: Generation,
  current: readonly Schedule[],
  schemas: readonly string[],
): ScheduleDraft[] {
  const { member, schedule } = defaultSchedule(request, generation);
  const first = { settings: checkTiming(schedule, (part) => `${member}.${part}`) };
  if (member === 'schedule' && request.additional_schedules === undefined) {
    return [first, ...current.filter(({ isDefault }) => !isDefault)];
  }
  const additional = (request.additional_schedules ?? []).map((one, index) => ({
    id: one.id,
    settings: additionalSettings(one, schemas, (name) => `additional_schedules.${index}.${name}`),
  }));
  return [first, ...additional];
}

/** @param field the name of a member as the request has it. @throws invalid_field */
export function additionalSettings(
  request: AdditionalBulkSchedule,
  schemas: readonly string[],
  field: (member: string) => string,
): ScheduleSettings {
  const known = new Set(schemas);
  const unknown = request.schemas?.find((id) => !known.has(id));
  if (unknown !== undefined) {
    const reason = `${unknown} is no schema of this bulk sync${orMeant(unknown, schemas)}`;
    throw new TidemarkError('invalid_field', { field: field('schemas'), reason });
  }
  return {
    ...checkTiming(request, field),
    selective_mode: request.selective_mode ?? 'none',
    resync_mode: request.resync_mode ?? 'normal',
    schemas: request.schemas ?? [],
  };
}

/** What a client that names no version says may be of either generation, and may be nothing. */
function defaultSchedule(
  request: BulkSyncRequest,
  generation: Generation,
): { member: 'schedule' | 'default_schedule'; schedule: BulkSchedule } {
  const older =
    generation === 'before-2025' ||
    (generation === 'either' && !request.default_schedule && request.schedule);
  const member = older ? 'schedule' : 'default_schedule';
  const schedule = request[member] ?? (generation === 'either' ? {} : undefined);
  if (schedule !== undefined) return { member, schedule };
  const reason = 'is required, e.g. {"frequency": "manual"}';
  throw new TidemarkError('invalid_field', { field: member, reason });
}
