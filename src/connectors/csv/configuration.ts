import { type Static, Type } from 'typebox';
import { HttpAuth, NameAndValue } from '../http-auth/index.ts';

/** The keys are Polytomic's, so that a configuration written for it works here. */
export const configuration = Type.Object(
  {
    url: Type.String({ title: 'URL', minLength: 1, examples: ['https://example.com/people.csv'] }),
    headers: Type.Optional(Type.Array(NameAndValue, { title: 'Headers' })),
    parameters: Type.Optional(Type.Array(NameAndValue, { title: 'Query parameters' })),
    auth: Type.Optional(HttpAuth),
  },
  { title: 'CSV by URL' },
);

export type Configuration = Static<typeof configuration>;
