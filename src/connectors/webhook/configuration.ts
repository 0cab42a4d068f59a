import { type Static, Type } from 'typebox';
import { HttpAuth, NameAndValue } from '../http-auth/index.ts';

const secret = { sensitive: true };

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
    ...HttpAuth.properties,
    headers: Type.Optional(Type.Array(NameAndValue, { title: 'Further headers' })),
  },
  { title: 'Webhook' },
);

export type Configuration = Static<typeof configuration>;
