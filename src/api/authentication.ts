import type { FastifyRequest } from 'fastify';
import { TidemarkError } from '../errors.ts';
import { authenticate, type Caller } from '../organizations/index.ts';
import type { App } from './app.ts';
import type { ApiDependencies } from './dependencies.ts';

/** Who may call an operation. Default: `organization`. */
export type Access =
  /** A user, or an organization-scoped caller. */
  | 'organization'
  | 'partner'
  /** Any valid credential. */
  | 'any'
  | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Answers 501. */
    notBuilt?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

export function installAuthentication(app: App, dependencies: ApiDependencies): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access ?? 'organization';
    if (access === 'public' || request.is404) return;
    const caller = await authenticate(dependencies, request.headers.authorization);
    if (caller === undefined) throw new TidemarkError('unauthorized');
    if (access === 'partner' && caller.kind !== 'partner') {
      throw new TidemarkError('forbidden', { reason: 'This operation takes a partner key' });
    }
    if (access === 'organization' && caller.kind === 'partner') {
      throw new TidemarkError('forbidden', {
        reason: 'A partner key belongs to no organization: send Basic organization_id:key for this operation',
      });
    }
    request.caller = caller;
  });
}

/** The caller of an operation that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new TidemarkError('unauthorized');
  return request.caller;
}

/** The organization every query of this request is scoped to. */
export function organizationOf(request: FastifyRequest): string {
  const caller = callerOf(request);
  if (caller.kind === 'partner') throw new TidemarkError('unauthorized');
  return caller.organizationId;
}

/** Managing people takes an administrator: a user who is one, or the partner. */
export function requireAdmin(request: FastifyRequest): void {
  const caller = callerOf(request);
  if (caller.kind !== 'partner' && caller.role !== 'admin') {
    throw new TidemarkError('forbidden', { reason: 'This takes an administrator of the organization' });
  }
}
