import type { FastifyRequest } from 'fastify';
import { TidemarkError } from '../errors.ts';
import { authenticate, type Caller, partnerIn } from '../organizations/index.ts';
import type { App } from './app.ts';
import type { ApiDependencies } from './dependencies.ts';
import { FailedAttempts } from './failed-attempts.ts';

/** Who may call an operation. Default: `organization`. */
export type Access =
  /** A user, or an organization-scoped caller. */
  | 'organization'
  | 'partner'
  /** The partner, also as Basic organization_id:key of the organization that `org_id` of the path names. */
  | 'partner of organization'
  /** Any valid credential. */
  | 'any'
  | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /**
     * For a partner that names no organization: the one that what the path names belongs to. Terraform imports a
     * connection by its id alone. @throws not_found
     */
    organizationOf?: (id: string) => Promise<string>;
    /** Answers 501. */
    notBuilt?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
  }
}

export function installAuthentication(app: App, dependencies: ApiDependencies): void {
  app.decorateRequest('caller', null);
  const attempts = new FailedAttempts(undefined, () => dependencies.failuresAtOnce);
  /** What was sent is not logged: it may be a key with a letter too many. */
  const refusal = (request: FastifyRequest) => {
    const wait = attempts.failed(request.ip);
    const [path] = request.url.split('?', 1);
    const sent = request.headers.authorization === undefined ? 'nothing' : 'no valid credential';
    const seen = { address: request.ip, method: request.method, path, sent, limited: wait !== undefined };
    request.log.warn(seen, 'authentication.failed');
    return wait === undefined
      ? new TidemarkError('unauthorized')
      : new TidemarkError('too_many_failures', { seconds: wait });
  };
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.access ?? 'organization';
    if (access === 'public' || request.is404) return;
    const caller = await authenticate(dependencies, request.headers.authorization);
    if (caller === undefined) throw refusal(request);
    const own = (request.params as { org_id?: string }).org_id?.toLowerCase();
    const inOwn = caller.kind === 'organization' && caller.partner && caller.organizationId === own;
    const isPartner = caller.kind === 'partner' || (access === 'partner of organization' && inOwn);
    if (access.startsWith('partner') && !isPartner) {
      throw new TidemarkError('forbidden', { reason: 'This operation takes a partner key' });
    }
    request.caller = caller;
  });
  // Here, where there is a body: the partner may name the organization that it acts in.
  app.addHook('preValidation', async (request) => {
    const access = request.routeOptions.config.access ?? 'organization';
    if (access !== 'organization' || request.caller?.kind !== 'partner') return;
    const named = (request.body as { organization_id?: unknown } | null | undefined)?.organization_id;
    const { organizationOf } = request.routeOptions.config;
    const { id } = request.params as { id?: string };
    const organizationId =
      typeof named === 'string' && named !== '' ? named : id && (await organizationOf?.(id));
    const acting = organizationId ? await partnerIn(dependencies.db, organizationId) : undefined;
    if (acting === undefined) {
      throw new TidemarkError('forbidden', {
        reason:
          'A partner key belongs to no organization: send Basic organization_id:key, or organization_id in the body',
      });
    }
    request.caller = acting;
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
