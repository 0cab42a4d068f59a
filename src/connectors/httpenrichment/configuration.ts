import { type Static, Type } from 'typebox';
import { HttpAuth, NameAndValue } from '../http-auth/index.ts';

/** The keys are Polytomic's, so that a configuration written for it works here. */
export const configuration = Type.Object(
  {
    url: Type.String({
      title: 'URL',
      description: '{{name}} stands for an input, here, in parameters, headers and body.',
      minLength: 1,
      examples: ['https://example.com/people/{{email}}'],
    }),
    method: Type.Enum(['GET', 'POST'], { title: 'Method' }),
    headers: Type.Optional(Type.Array(NameAndValue, { title: 'Headers' })),
    parameters: Type.Optional(Type.Array(NameAndValue, { title: 'Query parameters' })),
    body: Type.Optional(Type.String({ title: 'Body', examples: ['{"email":"{{email}}"}'] })),
    healthcheck: Type.Optional(
      Type.String({
        title: 'Health check',
        description:
          'A URL that answers 2xx while the service works; without one the connection is tested by its lookups.',
        examples: ['https://example.com/healthz'],
      }),
    ),
    auth: Type.Optional(HttpAuth),
  },
  { title: 'HTTP enrichment' },
);

export type Configuration = Static<typeof configuration>;
