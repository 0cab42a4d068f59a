import { type TObject, Type } from 'typebox';

/** Members that the wire has and Tidemark does not read: see `members.ts`. */

/** @param reason why it cannot be honoured, and what to do instead. */
export const refused = (reason: string) => Type.Optional(Type.Unknown({ refused: reason }));

/** @param reason why leaving it out comes to the same. */
export const withoutEffect = (reason: string) => Type.Optional(Type.Unknown({ noEffect: reason }));

/** A request that clients make of an answer: what only the answer has is for reading. */
export function withAnswered<Request extends TObject>(
  request: Request,
  answered: readonly string[],
): Request {
  const others = answered.filter((name) => !Object.hasOwn(request.properties, name));
  const readOnly = Object.fromEntries(others.map((name) => [name, answer]));
  return { ...request, properties: { ...request.properties, ...readOnly } };
}

const answer = Type.Optional(Type.Unknown({ readOnly: true }));
