import { type Static, Type } from 'typebox';
import { refused, withoutEffect } from '../../schema/unread.ts';
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
    inputMappings: refused('the inputs are the {{names}} in url, parameters, headers and body'),
    fields: refused('the enricher of a model names the fields of the answer'),
    example_inputs: withoutEffect('examples are for a form of other servers'),
    example_body: withoutEffect('examples are for a form of other servers'),
  },
  { title: 'HTTP enrichment' },
);

export type Configuration = Static<typeof configuration>;
