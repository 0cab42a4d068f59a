import { TidemarkError } from '../errors.ts';
import type { App } from './app.ts';

/**
 * `organization_id` in a body is for callers that may choose, and says nothing when it is empty: that is how some clients
 * leave it out. Of a caller that belongs to an organization it can only be that one, whatever the operation.
 */
export function installNamedOrganization(app: App): void {
  app.addHook('preValidation', async ({ body, caller }) => {
    if (typeof body !== 'object' || body === null || !('organization_id' in body)) return;
    const { organization_id: named } = body;
    if (named === '') delete body.organization_id;
    if (typeof named !== 'string' || named === '' || caller === null || caller.kind === 'partner') return;
    if (named.toLowerCase() === caller.organizationId) return;
    throw new TidemarkError('forbidden', {
      reason: 'organization_id: this credential belongs to another organization',
    });
  });
}
