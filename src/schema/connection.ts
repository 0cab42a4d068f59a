import { Type } from 'typebox';
import { limits } from '../limits.ts';
import { Duration, Id, JsonObject, Label, Word } from './bounded.ts';
import { optional } from './optional.ts';
import { refused, withAnswered } from './unread.ts';

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
    name: Label,
    type: Word,
    configuration: JsonObject,
    healthcheck_interval: Type.Optional(Duration),
    policies: Type.Optional(
      Type.Union([
        Type.Array(Type.String({ format: 'uuid' }), { maxItems: limits.lists.policies.most }),
        Type.Null(),
      ]),
    ),
    validate: Type.Optional(Type.Boolean()),
    organization_id: optional(Id),
    redirect_url: refused(noBrowser),
  }),
  answered,
);

/** `UpdateConnectionRequestSchema` on the wire. */
export const UpdateConnectionRequest = Type.Object({
  ...CreateConnectionRequest.properties,
  type: Type.Optional(Word),
  reconnect: refused(noBrowser),
});

/** `TestConnectionRequest` on the wire. */
export const TestConnectionRequest = Type.Object({
  type: Word,
  configuration: JsonObject,
  connection_id: Type.Optional(Id),
});
