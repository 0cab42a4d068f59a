import { type Static, Type } from 'typebox';

const secret = { sensitive: true };

export const NameAndValue = Type.Object({
  name: Type.Optional(Type.String()),
  value: Type.Optional(Type.String()),
});

const Secret = Type.Object({
  name: Type.Optional(Type.String()),
  value: Type.Optional(Type.String(secret)),
});

/** How requests of a connector prove who sends them. The keys are Polytomic's. */
export const HttpAuth = Type.Object(
  {
    basic: Type.Optional(
      Type.Object({
        username: Type.Optional(Type.String()),
        password: Type.Optional(Type.String(secret)),
      }),
    ),
    header: Type.Optional(Secret),
    query: Type.Optional(Type.Array(Secret)),
    oauth: Type.Optional(
      Type.Object(
        {
          client_id: Type.Optional(Type.String()),
          client_secret: Type.Optional(Type.String(secret)),
          token_endpoint: Type.Optional(Type.String({ examples: ['https://example.com/oauth/token'] })),
          extra_form_data: Type.Optional(Type.Array(Secret)),
          scopes: Type.Optional(Type.Array(Type.String())),
          auth_style: Type.Optional(
            Type.Integer({
              description:
                'Where the token request carries the client: 1 in its form, 2 in its Authorization header. Default: 2.',
              minimum: 0,
              maximum: 2,
            }),
          ),
        },
        { title: 'OAuth client credentials' },
      ),
    ),
  },
  { title: 'Authentication', description: 'One of these.', alternatives: true },
);

export type HttpAuth = Static<typeof HttpAuth>;
