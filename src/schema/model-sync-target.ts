import { type Static, Type } from 'typebox';

/** `TargetObject` on the wire. Its modes have other member names than those of `TargetDescription`. */
export const TargetObjectDescription = Type.Object({
  id: Type.String(),
  name: Type.String(),
  modes: Type.Array(
    Type.Object({
      id: Type.String(),
      requires_identity: Type.Boolean(),
      supports_per_field_mode: Type.Boolean(),
      supports_target_filters: Type.Boolean(),
    }),
  ),
});
export type TargetObjectDescription = Static<typeof TargetObjectDescription>;

/** `TargetResponse` on the wire. */
export const TargetDescription = Type.Object({
  id: Type.String(),
  name: Type.String(),
  modes: Type.Array(
    Type.Object({
      mode: Type.String(),
      label: Type.String(),
      description: Type.String(),
      requires_identity: Type.Boolean(),
      supports_field_sync_mode: Type.Boolean(),
      supports_target_filters: Type.Boolean(),
    }),
  ),
  fields: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      type: Type.String(),
      source_type: Type.String(),
      required: Type.Boolean(),
      createable: Type.Boolean(),
      updateable: Type.Boolean(),
      filterable: Type.Boolean(),
      supports_identity: Type.Boolean(),
      identity_functions: Type.Array(Type.Object({ id: Type.String(), label: Type.String() })),
      association: Type.Boolean(),
      encryptable: Type.Boolean(),
    }),
  ),
  properties: Type.Record(Type.String(), Type.Boolean()),
  refreshed_at: Type.String(),
});
export type TargetDescription = Static<typeof TargetDescription>;
