import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { Email, Id, Label, Secret, Timestamp, Url } from './bounded.ts';

/** `CreateOrganizationRequestSchema` and `UpdateOrganizationRequestSchema` on the wire. */
export const OrganizationRequest = Type.Object({
  name: Label,
  sso_domain: Type.Optional(Label),
  sso_org_id: Type.Optional(Label),
  issuer: Type.Optional(Url),
  client_id: Type.Optional(Label),
  client_secret: Type.Optional(Secret),
});

export const UserRole = Type.Object({
  role: Type.Optional(Label),
  role_ids: Type.Optional(
    Type.Union([Type.Array(Id, { minItems: 1, maxItems: limits.lists.policies.most }), Type.Null()]),
  ),
});

/** `UpdateUserRequestSchema` on the wire. */
export const UpdateUserRequest = Type.Object({ email: Type.Optional(Email), ...UserRole.properties });

export const CreateUserRequest = Type.Object({ email: Email, ...UserRole.properties });

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
  Type.Object({ name: Type.Optional(Label), expires_at: Type.Optional(Timestamp) }),
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
