import { Type } from 'typebox';
import { optional } from './optional.ts';
import { refused, withAnswered } from './unread.ts';

const Configuration = Type.Record(Type.String(), Type.Any());

/** Answers have them. */
const answered = [
  'id',
  'status',
  'status_error',
  'saved',
  'created_at',
  'created_by',
  'updated_at',
  'updated_by',
  'rate_limit',
  'parent_connection_id',
  'api_calls_last_24_hours',
  'auth_code',
  'auth_url',
];
const noBrowser = 'no type of this server signs in by a browser: send the credentials in configuration';

/** `CreateConnectionRequestSchema` on the wire. */
export const CreateConnectionRequest = withAnswered(
  Type.Object({
    name: Type.String(),
    type: Type.String(),
    configuration: Configuration,
    healthcheck_interval: Type.Optional(Type.String()),
    policies: Type.Optional(Type.Union([Type.Array(Type.String({ format: 'uuid' })), Type.Null()])),
    validate: Type.Optional(Type.Boolean()),
    organization_id: optional(Type.String()),
    redirect_url: refused(noBrowser),
  }),
  answered,
);

/** `UpdateConnectionRequestSchema` on the wire. */
export const UpdateConnectionRequest = Type.Object({
  ...CreateConnectionRequest.properties,
  type: Type.Optional(Type.String()),
  reconnect: refused(noBrowser),
});

/** `TestConnectionRequest` on the wire. */
export const TestConnectionRequest = Type.Object({
  type: Type.String(),
  configuration: Configuration,
  connection_id: Type.Optional(Type.String()),
});
