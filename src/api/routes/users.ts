import { Type } from 'typebox';
import { createUser, deleteUser, getUser, listUsers, updateUser } from '../../organizations/index.ts';
import { Parameter } from '../../schema/bounded.ts';
import { CreateUserRequest, UpdateUserRequest, UserRole } from '../../schema/organization.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf, requireAdmin } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

const OrganizationParameter = Type.Object({ org_id: Parameter });
const UserParameters = Type.Object({ org_id: Parameter, id: Parameter });

export function userRoutes(app: App, { db }: ApiDependencies): void {
  currentOrganization(app, db);
  anyOrganization(app, db);
}

/** For the users of an organization; changing them takes an administrator. */
function currentOrganization(app: App, db: ApiDependencies['db']): void {
  app.get(
    '/api/organization/users',
    { schema: { operationId: 'users.listCurrentOrgUsers' } },
    async (request) => ({
      data: await listUsers(db, organizationOf(request)),
    }),
  );
  app.post(
    '/api/organization/users',
    { schema: { operationId: 'users.createCurrentOrgUser', body: CreateUserRequest } },
    async (request) => {
      requireAdmin(request);
      return { data: await createUser(db, organizationOf(request), request.body) };
    },
  );
  app.get(
    '/api/organization/users/:id',
    { schema: { operationId: 'users.getCurrentOrgUser', params: IdParameter } },
    async (request) => ({ data: await getUser(db, organizationOf(request), request.params.id) }),
  );
  app.put(
    '/api/organization/users/:id',
    { schema: { operationId: 'users.updateCurrentOrgUser', params: IdParameter, body: UserRole } },
    async (request) => {
      requireAdmin(request);
      return { data: await updateUser(db, organizationOf(request), request.params.id, request.body) };
    },
  );
  app.delete(
    '/api/organization/users/:id',
    { schema: { operationId: 'users.deleteCurrentOrgUser', params: IdParameter } },
    async (request) => {
      requireAdmin(request);
      return { data: await deleteUser(db, organizationOf(request), request.params.id) };
    },
  );
}

/** For the partner, in any organization. */
function anyOrganization(app: App, db: ApiDependencies['db']): void {
  const config = { access: 'partner of organization' as const };
  const base = '/api/organizations/:org_id/users';

  app.get(
    base,
    { schema: { operationId: 'users.list', params: OrganizationParameter }, config },
    async (request) => ({ data: await listUsers(db, request.params.org_id) }),
  );
  app.post(
    base,
    {
      schema: { operationId: 'users.create', params: OrganizationParameter, body: CreateUserRequest },
      config,
    },
    async (request) => ({ data: await createUser(db, request.params.org_id, request.body) }),
  );
  app.get(
    `${base}/:id`,
    { schema: { operationId: 'users.get', params: UserParameters }, config },
    async (request) => ({ data: await getUser(db, request.params.org_id, request.params.id) }),
  );
  app.put(
    `${base}/:id`,
    { schema: { operationId: 'users.update', params: UserParameters, body: UpdateUserRequest }, config },
    async (request) => ({
      data: await updateUser(db, request.params.org_id, request.params.id, request.body),
    }),
  );
  app.delete(
    `${base}/:id`,
    { schema: { operationId: 'users.delete', params: UserParameters }, config },
    async (request) => ({ data: await deleteUser(db, request.params.org_id, request.params.id) }),
  );
}
