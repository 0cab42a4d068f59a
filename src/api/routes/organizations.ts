import {
  createOrganization,
  deleteOrganization,
  getOrganization,
  listOrganizations,
  updateOrganization,
} from '../../organizations/index.ts';
import { OrganizationRequest } from '../../schema/organization.ts';
import { IdParameter } from '../../schema/parameters.ts';
import type { App } from '../app.ts';
import { organizationOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function organizationRoutes(app: App, deps: ApiDependencies): void {
  const partner = { access: 'partner' as const };

  app.get('/api/organization', { schema: { operationId: 'organization.getCurrent' } }, async (request) => ({
    data: await getOrganization(deps.db, organizationOf(request)),
  }));
  app.get(
    '/api/organizations',
    { schema: { operationId: 'organization.list' }, config: partner },
    async () => ({ data: await listOrganizations(deps.db) }),
  );
  app.post(
    '/api/organizations',
    { schema: { operationId: 'organization.create', body: OrganizationRequest }, config: partner },
    async (request) => ({ data: await createOrganization(deps, request.body) }),
  );
  app.get(
    '/api/organizations/:id',
    { schema: { operationId: 'organization.get', params: IdParameter }, config: partner },
    async (request) => ({ data: await getOrganization(deps.db, request.params.id) }),
  );
  app.put(
    '/api/organizations/:id',
    {
      schema: { operationId: 'organization.update', params: IdParameter, body: OrganizationRequest },
      config: partner,
    },
    async (request) => ({ data: await updateOrganization(deps, request.params.id, request.body) }),
  );
  app.delete(
    '/api/organizations/:id',
    { schema: { operationId: 'organization.delete', params: IdParameter }, config: partner },
    async (request, reply) => {
      await deleteOrganization(deps.db, request.params.id);
      return reply.code(200).send();
    },
  );
}
