import { getOrganization } from '../../organizations/index.ts';
import type { Identity } from '../../schema/organization.ts';
import type { App } from '../app.ts';
import { callerOf } from '../authentication.ts';
import type { ApiDependencies } from '../dependencies.ts';

export function identityRoutes(app: App, { db }: ApiDependencies): void {
  app.get(
    '/api/me',
    { schema: { operationId: 'identity.get' }, config: { access: 'any' } },
    async (request): Promise<{ data: Identity }> => {
      const caller = callerOf(request);
      const is = {
        is_user: caller.kind === 'user',
        is_organization: caller.kind === 'organization',
        is_partner: caller.kind === 'partner',
        is_system: false,
        credential: {
          method:
            caller.kind === 'partner' || (caller.kind === 'organization' && caller.partner)
              ? 'partner_key'
              : 'api_key',
          mode: caller.kind,
        },
      };
      if (caller.kind === 'partner') return { data: is };
      const { name } = await getOrganization(db, caller.organizationId);
      const organization = { organization_id: caller.organizationId, organization_name: name };
      if (caller.kind === 'organization') return { data: { ...organization, ...is } };
      return { data: { id: caller.userId, email: caller.email, role: caller.role, ...organization, ...is } };
    },
  );
}
