import { type Static, Type } from 'typebox';

const secret = { sensitive: true };
const NameAndValue = Type.Object({ name: Type.Optional(Type.String()), value: Type.Optional(Type.String()) });

/** The keys are Polytomic's, so that a configuration written for it works here. */
export const configuration = Type.Object(
  {
    url: Type.String({ title: 'URL', minLength: 1, examples: ['https://example.com/webhook'] }),
    auth_method: Type.Enum(['polytomic_secret', 'basic', 'header', 'query', 'oauth_client_credentials'], {
      title: 'Authentication',
      default: 'polytomic_secret',
    }),
    secret: Type.Optional(
      Type.String({
        title: 'Secret',
        description: 'Sent as Authorization: Bearer with polytomic_secret.',
        ...secret,
      }),
    ),
    basic: Type.Optional(
      Type.Object({
        username: Type.Optional(Type.String()),
        password: Type.Optional(Type.String(secret)),
      }),
    ),
    header: Type.Optional(
      Type.Object({ name: Type.Optional(Type.String()), value: Type.Optional(Type.String(secret)) }),
    ),
    query: Type.Optional(Type.Array(NameAndValue, secret)),
    oauth: Type.Optional(
      Type.Record(Type.String(), Type.Any(), { description: 'Not built yet.', ...secret }),
    ),
    headers: Type.Optional(Type.Array(NameAndValue, { title: 'Further headers' })),
  },
  { title: 'Webhook' },
);

export type Configuration = Static<typeof configuration>;
