import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { Id, SchedulePart, SchemaId } from './bounded.ts';
import { Actor } from './model.ts';
import { optional } from './optional.ts';
import { noTimeZone, scheduleFrequencies } from './schedule.ts';
import { refused, withAnswered } from './unread.ts';

export const resyncModes = ['refetch', 'resync', 'rebuild'] as const;
const syncModes = ['normal', ...resyncModes] as const;
const selectiveModes = ['none', 'incrementalFields', 'nonincrementalFields'] as const;

const answered = ['created_at', 'created_by', 'updated_at', 'updated_by'];

/** When a bulk sync starts. Parts of a time are text, in UTC. `multi` belongs to versions before 2025-09-18. */
const BulkTiming = Type.Object({
  id: optional(Id),
  frequency: optional(Type.Enum([...scheduleFrequencies])),
  minute: optional(SchedulePart),
  hour: optional(SchedulePart),
  day_of_week: optional(SchedulePart),
  day_of_month: optional(SchedulePart),
  month: optional(SchedulePart),
});

export const BulkSchedule = withAnswered(
  Type.Object({
    ...BulkTiming.properties,
    multi: refused('multi is not supported: use additional_schedules of version 2025-09-18'),
    ...noTimeZone,
  }),
  answered,
);
export type BulkSchedule = Static<typeof BulkSchedule>;

const AdditionalMembers = Type.Object({
  ...BulkTiming.properties,
  selective_mode: optional(Type.Enum([...selectiveModes])),
  resync_mode: optional(Type.Enum([...syncModes])),
  schemas: optional(Type.Array(SchemaId, { maxItems: limits.lists.schemas.most })),
});
export const AdditionalBulkSchedule = withAnswered(
  Type.Object({ ...AdditionalMembers.properties, ...noTimeZone }),
  answered,
);
export type AdditionalBulkSchedule = Static<typeof AdditionalBulkSchedule>;

/** As a member of its sync. The members of additional schedules are absent from the default one. */
export const BulkScheduleResponse = Type.Object({
  ...AdditionalMembers.properties,
  id: Type.String(),
  created_at: Type.String(),
  created_by: Type.Optional(Actor),
  updated_at: Type.String(),
  updated_by: Type.Optional(Actor),
});
export type BulkScheduleResponse = Static<typeof BulkScheduleResponse>;

/** What can be said of a single schedule. `syncMode` and `schemas` are known to reads alone elsewhere. */
const ScheduleMembers = Type.Object({
  frequency: Type.Enum([...scheduleFrequencies]),
  minute: optional(SchedulePart),
  hour: optional(SchedulePart),
  dayOfWeek: optional(SchedulePart),
  dayOfMonth: optional(SchedulePart),
  month: optional(SchedulePart),
  selectiveMode: optional(Type.Enum([...selectiveModes])),
  syncMode: optional(Type.Enum([...syncModes])),
  schemas: optional(Type.Array(SchemaId, { maxItems: limits.lists.schemas.most })),
});

/** As a resource of its own. */
export const BulkScheduleItem = Type.Object({
  ...ScheduleMembers.properties,
  id: Type.String(),
  syncId: Type.String(),
  isDefault: Type.Boolean(),
  createdAt: Type.String(),
  createdBy: Type.Optional(Type.String()),
  updatedAt: Type.String(),
  updatedBy: Type.Optional(Type.String()),
});
export type BulkScheduleItem = Static<typeof BulkScheduleItem>;

export const BulkScheduleRequest = withAnswered(
  Type.Object({ ...ScheduleMembers.properties, ...noTimeZone }),
  [...Object.keys(BulkScheduleItem.properties), 'deletedAt', 'deletedBy'],
);
export type BulkScheduleRequest = Static<typeof BulkScheduleRequest>;
