import { type Static, Type } from 'typebox';
import { refused } from '../../schema/unread.ts';
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

/** `target.configuration` of a model sync; its numbers are checked where they are used. */
export const targetConfiguration = Type.Object({
  batch_size: Type.Optional(Type.Unknown()),
  concurrency: Type.Optional(Type.Unknown()),
  metadata: Type.Optional(Type.Unknown()),
  record_requests: refused('requests are not kept: the record logs say what was sent'),
});
