import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { invalidField, TidemarkError } from '../../errors.ts';
import { isTimestamp } from '../../lib/timestamp.ts';
import { addApiKey, createApiKey, getUser, listApiKeys, revokeApiKey } from '../../organizations/index.ts';
import { ApiKeyEntry, ApiKeyRequest } from '../../schema/organization.ts';
import type { App } from '../app.ts';
import { callerOf, organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

const Force = Type.Object({ force: Type.Optional(Type.Boolean()) });
const KeyList = Type.Object({ data: Type.Array(ApiKeyEntry) });

/** Keys of users: for the partner in any organization, for administrators in theirs, and for everybody their own. */
export function apiKeyRoutes(app: App, { db }: ApiDependencies): void {
  const partner = { access: 'partner of organization' as const };
  routesAt(app, db, '/api/organizations/:org_id/users/:id/keys', '', partner, (request) => {
    return (request.params as { org_id: string }).org_id;
  });
  const own = { access: 'organization' as const };
  routesAt(app, db, '/api/organization/users/:id/keys', 'CurrentOrg', own, (request) => {
    requireOwnOrAdmin(request);
    return organizationOf(request);
  });
}

function routesAt(
  app: App,
  db: ApiDependencies['db'],
  base: string,
  infix: string,
  config: { access: 'partner of organization' | 'organization' },
  organization: (request: FastifyRequest) => string,
): void {
  const id = { id: Type.String() };
  const path: typeof id = base.includes(':org_id') ? { ...id, ...{ org_id: Type.String() } } : id;
  const params = Type.Object(path);
  app.get(
    base,
    { schema: { operationId: `users.list${infix}ApiKeys`, params, response: { 200: KeyList } }, config },
    async (request) => {
      const { id } = await getUser(db, organization(request), request.params.id);
      return { data: (await listApiKeys(db, [id])).map(present) };
    },
  );
  app.post(
    base,
    {
      schema: { operationId: `users.create${infix}ApiKey`, params, querystring: Force, body: ApiKeyRequest },
      config,
    },
    async (request) => {
      const organizationId = organization(request);
      const { id: userId } = await getUser(db, organizationId, request.params.id);
      const { name, expires_at: expiresAt } = request.body ?? {};
      if (expiresAt !== undefined && !isTimestamp(expiresAt)) {
        throw invalidField('expires_at', 'takes an RFC 3339 time, such as 2030-01-31T12:00:00Z');
      }
      const adds = name !== undefined || expiresAt !== undefined;
      const { id, key } = adds
        ? await addApiKey(db, { organizationId, userId, name, expiresAt })
        : await createApiKey(db, organizationId, userId, request.query.force ?? false);
      return { data: { id, value: key } };
    },
  );
  app.delete(
    `${base}/:key_id`,
    {
      schema: {
        operationId: `users.revoke${infix}ApiKey`,
        params: Type.Object({ ...path, key_id: Type.String() }),
      },
      config,
    },
    async (request, reply) => {
      const { id } = await getUser(db, organization(request), request.params.id);
      await revokeApiKey(db, request.params.key_id, id);
      return reply.code(200).send();
    },
  );
}

function present({
  id,
  name,
  createdAt,
  expiresAt,
  configured,
}: Awaited<ReturnType<typeof listApiKeys>>[number]) {
  return { id, name, created_at: createdAt, expires_at: expiresAt, configured };
}

/** Whoever has a user's key acts as that user. */
function requireOwnOrAdmin(request: FastifyRequest): void {
  const caller = callerOf(request);
  if (caller.kind === 'partner' || caller.role === 'admin') return;
  const { id } = request.params as { id: string };
  if (caller.kind === 'user' && caller.userId === id.toLowerCase()) return;
  throw new TidemarkError('forbidden', {
    reason: 'Keys of others take an administrator of the organization',
  });
}
