import { type Static, Type } from 'typebox';

/** `CreateOrganizationRequestSchema` and `UpdateOrganizationRequestSchema` on the wire. */
export const OrganizationRequest = Type.Object({
  name: Type.String(),
  sso_domain: Type.Optional(Type.String()),
  sso_org_id: Type.Optional(Type.String()),
  issuer: Type.Optional(Type.String()),
  client_id: Type.Optional(Type.String()),
  client_secret: Type.Optional(Type.String()),
});

export const UserRole = Type.Object({
  role: Type.Optional(Type.String()),
  role_ids: Type.Optional(Type.Union([Type.Array(Type.String(), { minItems: 1 }), Type.Null()])),
});

/** `UpdateUserRequestSchema` on the wire. */
export const UpdateUserRequest = Type.Object({ email: Type.Optional(Type.String()), ...UserRole.properties });

export const CreateUserRequest = Type.Object({ email: Type.String(), ...UserRole.properties });

/** An API key as it is listed: never the key itself. */
export const ApiKeyEntry = Type.Object({
  id: Type.String(),
  name: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
  expires_at: Type.Union([Type.String(), Type.Null()]),
  configured: Type.Boolean({ description: 'It is the one of TIDEMARK_API_KEY.' }),
});

/** `CreateApiKeyRequestSchema` on the wire has no members. A name or an end adds a key to those that there are. */
export const ApiKeyRequest = Type.Union([
  Type.Object({ name: Type.Optional(Type.String()), expires_at: Type.Optional(Type.String()) }),
  Type.Null(),
]);

/** `GetIdentityResponseSchema` on the wire. */
export const Identity = Type.Object({
  id: Type.Optional(Type.String()),
  email: Type.Optional(Type.String()),
  role: Type.Optional(Type.String()),
  organization_id: Type.Optional(Type.String()),
  organization_name: Type.Optional(Type.String()),
  is_user: Type.Boolean(),
  is_organization: Type.Boolean(),
  is_partner: Type.Boolean(),
  is_system: Type.Boolean(),
  credential: Type.Object({
    method: Type.String({ description: 'api_key or partner_key.' }),
    mode: Type.String({ description: 'user, organization or partner: as whom the key acts.' }),
  }),
});
export type Identity = Static<typeof Identity>;
