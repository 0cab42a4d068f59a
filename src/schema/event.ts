import { type Static, Type } from 'typebox';

/** Query of `GET /api/events`. `event_type` is how some documentation spells `type`. */
export const EventsQuery = Type.Object({
  organization_id: Type.Optional(Type.String()),
  type: Type.Optional(Type.String()),
  event_type: Type.Optional(Type.String()),
  starting_after: Type.Optional(Type.String()),
  ending_before: Type.Optional(Type.String()),
  /** 10 when left out; 1 to 100. */
  limit: Type.Optional(Type.Integer()),
});
export type EventsQuery = Static<typeof EventsQuery>;
