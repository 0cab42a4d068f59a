import { Type } from 'typebox';
import { limits } from '../limits.ts';
import { JsonObject, Parameter } from './bounded.ts';

export const IdParameter = Type.Object({ id: Parameter });

/** Items that a page gives if it is not said. */
export const perPage = 50;

/** Of a list, with the number that it gives if nothing is said. */
export const limit = (otherwise: number) =>
  Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: limits.request.page.most,
      description: `${otherwise} when left out; 1 to ${limits.request.page.most}.`,
    }),
  );

/** A map in a query: members in brackets, or one JSON text. */
export const MapParameter = Type.Union([Type.String({ maxLength: limits.texts.value.most }), JsonObject]);

export const Force = Type.Object({
  force: Type.Optional(
    Type.Boolean({ description: 'Also when something else needs it; see the error `in_use`.' }),
  ),
});
