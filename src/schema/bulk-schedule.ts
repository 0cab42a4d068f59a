import { type Static, Type } from 'typebox';
import { Actor } from './model.ts';
import { optional } from './optional.ts';
import { scheduleFrequencies } from './schedule.ts';

export const resyncModes = ['refetch', 'resync', 'rebuild'] as const;
const syncModes = ['normal', ...resyncModes] as const;
const selectiveModes = ['none', 'incrementalFields', 'nonincrementalFields'] as const;

/** When a bulk sync starts. Parts of a time are text, in UTC. `multi` belongs to versions before 2025-09-18. */
export const BulkSchedule = Type.Object({
  id: optional(Type.String()),
  frequency: optional(Type.Enum([...scheduleFrequencies])),
  minute: optional(Type.String()),
  hour: optional(Type.String()),
  day_of_week: optional(Type.String()),
  day_of_month: optional(Type.String()),
  month: optional(Type.String()),
});
export type BulkSchedule = Static<typeof BulkSchedule>;

export const AdditionalBulkSchedule = Type.Object({
  ...BulkSchedule.properties,
  selective_mode: optional(Type.Enum([...selectiveModes])),
  resync_mode: optional(Type.Enum([...syncModes])),
  schemas: optional(Type.Array(Type.String())),
});
export type AdditionalBulkSchedule = Static<typeof AdditionalBulkSchedule>;

/** As a member of its sync. The members of additional schedules are absent from the default one. */
export const BulkScheduleResponse = Type.Object({
  ...AdditionalBulkSchedule.properties,
  id: Type.String(),
  created_at: Type.String(),
  created_by: Type.Optional(Actor),
  updated_at: Type.String(),
  updated_by: Type.Optional(Actor),
});
export type BulkScheduleResponse = Static<typeof BulkScheduleResponse>;

/** Body of the operations on single schedules. `syncMode` and `schemas` are known to reads alone elsewhere. */
export const BulkScheduleRequest = Type.Object({
  frequency: Type.Enum([...scheduleFrequencies]),
  minute: optional(Type.String()),
  hour: optional(Type.String()),
  dayOfWeek: optional(Type.String()),
  dayOfMonth: optional(Type.String()),
  month: optional(Type.String()),
  selectiveMode: optional(Type.Enum([...selectiveModes])),
  syncMode: optional(Type.Enum([...syncModes])),
  schemas: optional(Type.Array(Type.String())),
});
export type BulkScheduleRequest = Static<typeof BulkScheduleRequest>;

/** As a resource of its own. */
export const BulkScheduleItem = Type.Object({
  ...BulkScheduleRequest.properties,
  id: Type.String(),
  syncId: Type.String(),
  isDefault: Type.Boolean(),
  createdAt: Type.String(),
  createdBy: Type.Optional(Type.String()),
  updatedAt: Type.String(),
  updatedBy: Type.Optional(Type.String()),
});
export type BulkScheduleItem = Static<typeof BulkScheduleItem>;
