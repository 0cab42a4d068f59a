import { Type } from 'typebox';
import { mostPerPage } from './limits.ts';

export const IdParameter = Type.Object({ id: Type.String() });

/** Of a list, with the number that it gives if nothing is said. */
export const limit = (otherwise: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: mostPerPage,
      description: `${otherwise} when left out; 1 to ${mostPerPage}.`,
    }),
  );

/** A map in a query: members in brackets, or one JSON text. */
export const MapParameter = Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]);

export const Force = Type.Object({
  force: Type.Optional(
    Type.Boolean({ description: 'Also when something else needs it; see the error `in_use`.' }),
  ),
});
