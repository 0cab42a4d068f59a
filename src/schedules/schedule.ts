import type { Actor } from '../organizations/index.ts';
import type { scheduleFrequencies } from '../schema/schedule.ts';

export type SyncKind = 'model' | 'bulk';
export type Frequency = Exclude<(typeof scheduleFrequencies)[number], 'multi' | 'dbtcloud'>;
export type Part = 'minute' | 'hour' | 'day_of_month' | 'month' | 'day_of_week';

/**
 * When, in UTC. Parts stay as they were given: `"05"`, `"monday"`, a field of a cron pattern; those
 * that the frequency does not read, too.
 */
export interface Timing extends Partial<Record<Part, string>> {
  frequency: Frequency;
}

/** With the names of the wire. Model syncs have the members of `runafter`, additional bulk schedules the rest. */
export interface ScheduleSettings extends Timing {
  run_after?: { sync_ids?: string[]; bulk_sync_ids?: string[] };
  run_after_success_only?: boolean;
  /** What happened to the schedule that its owner did not ask for. */
  note?: string;
  selective_mode?: 'none' | 'incrementalFields' | 'nonincrementalFields';
  resync_mode?: 'normal' | 'refetch' | 'resync' | 'rebuild';
  schemas?: string[];
}

export interface Schedule {
  id: string;
  organizationId: string;
  kind: SyncKind;
  syncId: string;
  isDefault: boolean;
  settings: ScheduleSettings;
  /** Due since or from then on. Null: manual, not active, or waiting for another sync to end. */
  nextRunAt: string | null;
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}
