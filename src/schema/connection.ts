import { Type } from 'typebox';

const Configuration = Type.Record(Type.String(), Type.Any());

/** `CreateConnectionRequestSchema` on the wire. */
export const CreateConnectionRequest = Type.Object({
  name: Type.String(),
  type: Type.String(),
  configuration: Configuration,
  healthcheck_interval: Type.Optional(Type.String()),
  policies: Type.Optional(Type.Union([Type.Array(Type.String({ format: 'uuid' })), Type.Null()])),
  validate: Type.Optional(Type.Boolean()),
});

/** `UpdateConnectionRequestSchema` on the wire. */
export const UpdateConnectionRequest = Type.Object({
  ...CreateConnectionRequest.properties,
  type: Type.Optional(Type.String()),
});

/** `TestConnectionRequest` on the wire. */
export const TestConnectionRequest = Type.Object({
  type: Type.String(),
  configuration: Configuration,
  connection_id: Type.Optional(Type.String()),
});
