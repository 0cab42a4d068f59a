import type { Schedule, ScheduleSettings } from '../schedules/index.ts';
import type { SelectedSchema } from './bulk-sync.ts';

/**
 * The enabled schemas that a schedule is for. Additional schedules are for what they list (nothing listed:
 * everything), narrowed by their selective mode. The default one is for the rest: for every schema that no
 * additional schedule has taken over. One that is for everything takes nothing over, and neither does one that
 * resyncs: that comes on top of the ordinary runs.
 */
export function scheduledSchemas(
  schedule: Schedule,
  all: readonly Schedule[],
  schemas: readonly SelectedSchema[],
): SelectedSchema[] {
  return schemas.filter(
    ({ id, enabled, settings }) =>
      enabled && isFor(schedule, all, { id, incremental: settings.trackingField !== '' }),
  );
}

/** Whether a schedule is for an object that the source did not have before. It has no tracking field yet. */
export function coversNewObjects(schedule: Schedule, all: readonly Schedule[]): boolean {
  return isFor(schedule, all, { id: undefined, incremental: false });
}

interface Candidate {
  id: string | undefined;
  incremental: boolean;
}

function isFor({ isDefault, settings }: Schedule, all: readonly Schedule[], schema: Candidate): boolean {
  if (!isDefault) return covers(settings, schema);
  return !all.some((one) => !one.isDefault && takesOver(one.settings) && covers(one.settings, schema));
}

function takesOver({
  selective_mode: mode = 'none',
  resync_mode: resync = 'normal',
  schemas = [],
}: ScheduleSettings) {
  return (mode !== 'none' || schemas.length > 0) && resync === 'normal';
}

function covers(
  { selective_mode: mode = 'none', schemas = [] }: ScheduleSettings,
  { id, incremental }: Candidate,
) {
  if (mode !== 'none' && incremental !== (mode === 'incrementalFields')) return false;
  return schemas.length === 0 || (id !== undefined && schemas.includes(id));
}
