import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { limit } from './parameters.ts';

/** Several may be in one, separated by commas. */
const Types = Type.String({ maxLength: limits.texts.field.most });
const mostTypes = { maxItems: limits.lists.query.most };
const mostTime = { maxLength: limits.texts.timestamp.most };

const filter = {
  organization_id: Type.Optional(
    Type.String({
      maxLength: limits.texts.id.most,
      description: 'Only for partners; others name their own or none.',
    }),
  ),
  type: Type.Optional(
    Type.Array(Types, { ...mostTypes, description: 'Event types; repeat it for several.' }),
  ),
  event_type: Type.Optional(
    Type.Array(Types, { ...mostTypes, description: 'How some documentation spells `type`.' }),
  ),
};
const starting_after = Type.Optional(
  Type.String({ ...mostTime, description: 'RFC 3339 at any precision; events after it, oldest first.' }),
);

/** Query of `GET /api/events`. */
export const EventsQuery = Type.Object({
  ...filter,
  starting_after,
  ending_before: Type.Optional(Type.String({ ...mostTime, description: 'RFC 3339; events before it.' })),
  limit: limit(10),
  page_token: Type.Optional(
    Type.String({
      maxLength: limits.texts.token.most,
      description: 'Goes on where the page that gave it ended.',
    }),
  ),
  wait: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: limits.request.wait.most,
      description: `Seconds, up to ${limits.request.wait.most}, to wait for an event when there is none yet.`,
    }),
  ),
});
export type EventsQuery = Static<typeof EventsQuery>;

/** Query of `GET /api/events/stream`. */
export const EventStreamQuery = Type.Object({ ...filter, starting_after });

export const Event = Type.Object({
  id: Type.String(),
  organization_id: Type.String(),
  type: Type.String(),
  created_at: Type.String({
    format: 'date-time',
    description: 'Unique per organization, strictly increasing.',
  }),
  event: Type.Object({}, { additionalProperties: true, description: 'See the event catalogue.' }),
});

export const EventsPage = Type.Object({
  data: Type.Array(Event),
  pagination: Type.Object({
    next_page_token: Type.Optional(Type.String()),
    has_more: Type.Boolean(),
    oldest_available_at: Type.String({
      format: 'date-time',
      description:
        'Every event from this moment on is there; a reader whose position is older may have missed some.',
    }),
  }),
});
