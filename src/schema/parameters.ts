import { Type } from 'typebox';

export const IdParameter = Type.Object({ id: Type.String() });

/** A map in a query: members in brackets, or one JSON text. */
export const MapParameter = Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]);

export const Force = Type.Object({
  force: Type.Optional(
    Type.Boolean({ description: 'Also when something else needs it; see the error `in_use`.' }),
  ),
});
