import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { Constant, FieldName, Id, Timestamp, Token, Word } from './bounded.ts';
import { optional } from './optional.ts';
import { limit, perPage } from './parameters.ts';

const Instant = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);
const Milliseconds = Type.Union([Type.Number(), Type.Null()]);

/** `CreateWebhooksSchema` on the wire. */
export const CreateWebhookRequest = Type.Object({
  endpoint: { ...Constant, description: 'An http:// or https:// URL without user name and password.' },
  secret: { ...Constant, description: 'Signs the deliveries.' },
  organization_id: optional(Id),
});

/** `UpdateWebhooksSchema` on the wire. */
export const UpdateWebhookRequest = Type.Object({
  ...CreateWebhookRequest.properties,
  secret: optional({
    ...Constant,
    description:
      'Left out, or sent as the mask, it stays as it is. A new one leaves the old one signing for 24 h.',
  }),
});

export const WebhookHealth = Type.Object({
  last_success_at: Instant,
  last_failure_at: Instant,
  consecutive_failures: Type.Integer({ description: 'Attempts that failed since the last success.' }),
  pending: Type.Integer({ description: 'Deliveries that wait for an attempt or are under way.' }),
});

export const Webhook = Type.Object({
  id: Type.String(),
  organization_id: Type.String(),
  endpoint: Type.String(),
  secret: Type.String({ description: 'As given on create; the mask afterwards.' }),
  disabled: Type.Boolean(),
  disabled_at: Type.Optional(Type.String({ format: 'date-time' })),
  disabled_reason: Type.Optional(Type.String()),
  created_at: Type.String({ format: 'date-time' }),
  health: WebhookHealth,
});
export type Webhook = Static<typeof Webhook>;

export const Delivery = Type.Object({
  id: Type.String(),
  webhook_id: Type.String(),
  organization_id: Type.String(),
  event_id: Type.String({ description: 'Sent as the webhook-id header.' }),
  event_type: Type.String(),
  status: Type.String({ description: 'pending, delivered, failed or canceled.' }),
  attempt_count: Type.Integer({ description: 'One under way included.' }),
  created_at: Type.String({ format: 'date-time', description: 'When the event happened.' }),
  updated_at: Type.String({ format: 'date-time' }),
  next_attempt_at: Instant,
});
export type Delivery = Static<typeof Delivery>;

/** One request and what came of it. */
export const Attempt = Type.Object({
  number: Type.Integer(),
  started_at: Type.String({ format: 'date-time' }),
  endpoint: Type.Union([Type.String(), Type.Null()]),
  status_code: Type.Union([Type.Integer(), Type.Null()]),
  error_code: Type.Union([Type.String(), Type.Null()], {
    description:
      'status, refused_address, dns, connect, tls, timeout, reset, invalid_url, secret or interrupted; null after a 2xx.',
  }),
  error: Type.Union([Type.String(), Type.Null()], { description: 'In words; null after a 2xx.' }),
  duration_ms: Type.Object({
    dns: Milliseconds,
    connect: Milliseconds,
    tls: Milliseconds,
    first_byte: Milliseconds,
    total: Milliseconds,
  }),
  response: Type.Union([
    Type.Object({
      headers: Type.Record(Type.String(), Type.String()),
      body: Type.String({ description: 'At most 64 KiB.' }),
      body_encoding: Type.String({ description: 'utf-8, or base64 for a body that is no UTF-8.' }),
    }),
    Type.Null(),
  ]),
});
export type Attempt = Static<typeof Attempt>;

export const DeliveryWithAttempts = Type.Object({ ...Delivery.properties, attempts: Type.Array(Attempt) });

/** As clients since 25.9.10 have it: one attempt. The members from `delivery_id` on are Tidemark's. */
export const ListedAttempt = Type.Object({
  id: Type.String(),
  event_id: Type.String(),
  event_type: Type.String(),
  attempted_at: Type.String({ format: 'date-time' }),
  success: Type.Boolean(),
  status_code: Type.Optional(Type.Integer()),
  duration_ms: Type.Optional(Type.Integer()),
  response_body: Type.Optional(Type.String({ description: 'At most 64 KiB; what is no UTF-8 is replaced.' })),
  error: Type.Optional(Type.String()),
  error_kind: Type.Optional(Type.String({ description: 'The error_code of an attempt.' })),
  delivery_id: Type.String({ description: 'Of which this is an attempt.' }),
  attempt: Type.Integer({ description: 'Its number, from 1.' }),
  endpoint: Type.Optional(Type.String()),
});

export const AttemptsQuery = Type.Object({
  success: Type.Optional(Type.Boolean()),
  event_id: Type.Optional(Id),
  start: Type.Optional({ ...Timestamp, description: 'Of the attempt, included.' }),
  end: Type.Optional({ ...Timestamp, description: 'Of the attempt, not included.' }),
  limit: limit(perPage),
  page_token: Type.Optional(Token),
});

export const DeliveriesQuery = Type.Object({
  status: Type.Optional(Word),
  type: Type.Optional(Type.Array(FieldName, { maxItems: limits.lists.query.most })),
  starting_after: Type.Optional(Timestamp),
  ending_before: Type.Optional(Timestamp),
  limit: limit(perPage),
  page_token: Type.Optional(Token),
});

export const DeliveryParameters = Type.Object({ id: Id, delivery_id: Id });

export const RecoverRequest = Type.Object({
  since: { ...Timestamp, description: 'RFC 3339; older than the retention means from its beginning.' },
});
export const Recovered = Type.Object({
  missed: Type.Integer({ description: 'Events that had no delivery to this webhook.' }),
  failed: Type.Integer({ description: 'Deliveries that had failed or been canceled.' }),
});

export const TestRequest = Type.Object({
  type: Type.Optional({ ...Word, description: 'An event type; sync.completed when left out.' }),
});
export const TestResult = Type.Object({
  event_id: Type.String(),
  type: Type.String(),
  payload: Type.String({ description: 'The body that was sent.' }),
  delivered: Type.Boolean(),
  attempt: Attempt,
});
