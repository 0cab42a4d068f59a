import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { Id, SchedulePart } from './bounded.ts';
import { refused } from './unread.ts';

export const scheduleFrequencies = [
  'manual',
  'continuous',
  'hourly',
  'daily',
  'weekly',
  'custom',
  'builder',
  'runafter',
  'multi',
  'dbtcloud',
] as const;

const part = Type.Optional(Type.Union([SchedulePart, Type.Null()]));
const Ids = Type.Array(Id, { maxItems: limits.lists.runAfter.most });

/** What one may look for in a schedule: a start at another hour than was meant would go unnoticed. */
export const noTimeZone = Object.fromEntries(
  ['timezone', 'time_zone', 'tz'].map((name) => [name, refused('times of schedules are in UTC')]),
);

const ofDbtCloud = 'schedules by dbt Cloud are not supported: let the dbt job start the sync through the API';

/** When a model sync starts. Parts of a time are text, in UTC: `"05"`, `"monday"`. */
export const Schedule = Type.Object({
  ...noTimeZone,
  frequency: Type.Optional(Type.Enum([...scheduleFrequencies])),
  minute: part,
  hour: part,
  day_of_week: part,
  day_of_month: part,
  month: part,
  connection_id: refused(ofDbtCloud),
  job_id: refused(ofDbtCloud),
  run_after: Type.Optional(
    Type.Union([
      Type.Object({
        sync_ids: Type.Optional(Type.Union([Ids, Type.Null()])),
        bulk_sync_ids: Type.Optional(Type.Union([Ids, Type.Null()])),
      }),
      Type.Null(),
    ]),
  ),
  run_after_success_only: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  note: Type.Optional(
    Type.Unsafe<string>({
      ...Type.Unknown({ readOnly: true }),
      description: 'In answers: why the schedule is not as it was sent.',
    }),
  ),
});
export type Schedule = Static<typeof Schedule>;

/** What `GET /api/syncs/schedules` offers. */
export const ScheduleOption = Type.Object({
  frequency: Type.Enum([...scheduleFrequencies]),
  label: Type.String(),
  description: Type.String(),
  configuration: Type.Record(Type.String(), Type.Unknown()),
});
export type ScheduleOption = Static<typeof ScheduleOption>;
