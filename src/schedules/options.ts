import type { ScheduleOption } from '../schema/schedule.ts';

const part = (description: string, required = false) => ({ description, required });
const minute = part('0 to 59; 0 when left out');
const hour = part('0 to 23, in UTC; 0 when left out');
const dayOfWeek = part('"sunday" to "saturday"', true);
const cronParts = {
  minute: part('field of a cron pattern, in UTC', true),
  hour: part('field of a cron pattern, in UTC', true),
  day_of_month: part('field of a cron pattern; every day when left out'),
  month: part('field of a cron pattern; every month when left out'),
  day_of_week: part('field of a cron pattern; every day when left out'),
};

/** What a model sync can be told. Bulk syncs take the same, without `runafter`. */
export const scheduleOptions: ScheduleOption[] = [
  { frequency: 'manual', label: 'Manual', description: 'Only when started by request', configuration: {} },
  {
    frequency: 'continuous',
    label: 'Continuous',
    description: 'As often as possible, at most every five minutes',
    configuration: {},
  },
  { frequency: 'hourly', label: 'Hourly', description: 'Every hour', configuration: { minute } },
  { frequency: 'daily', label: 'Daily', description: 'Every day', configuration: { hour, minute } },
  {
    frequency: 'weekly',
    label: 'Weekly',
    description: 'Every week',
    configuration: { day_of_week: dayOfWeek, hour, minute },
  },
  { frequency: 'custom', label: 'Custom', description: 'By a cron pattern', configuration: cronParts },
  { frequency: 'builder', label: 'Builder', description: 'By a cron pattern', configuration: cronParts },
  {
    frequency: 'runafter',
    label: 'Run after',
    description: 'When other syncs have ended',
    configuration: {
      run_after: part('sync_ids and bulk_sync_ids: the syncs to wait for', true),
      run_after_success_only: part('only when they have completed'),
    },
  },
];
