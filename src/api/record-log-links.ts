import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { TidemarkError } from '../errors.ts';
import { executionOwner, type RecordLogType } from '../executions/index.ts';
import { authenticate } from '../organizations/index.ts';
import { Token, Word } from '../schema/bounded.ts';
import { organizationOf } from './authentication.ts';
import type { ApiDependencies } from './dependencies.ts';
import type { SignedLinks } from './signed-links.ts';

/** What a signed link has in its query. */
export const LinkQuery = Type.Object({
  expires: Type.Optional(Word),
  signature: Type.Optional(Token),
});

/** Path of one file of an execution's record logs, of either kind of sync: what is signed is exactly this. */
export function recordLogPathOf(
  syncId: string,
  executionId: string,
  type: RecordLogType,
  filename: string,
): string {
  const segments = ['api', 'syncs', syncId, 'executions', executionId, type, filename];
  return `/${segments.map(encodeURIComponent).join('/')}`;
}

/** The organization whose logs may be read: that of the link's execution, or the caller's. @throws forbidden */
export async function logReader(
  deps: ApiDependencies,
  links: SignedLinks,
  request: FastifyRequest,
  path: string,
  executionId: string,
): Promise<string> {
  const query = request.query as { expires?: string; signature?: string };
  if (query.signature !== undefined) {
    if (links.verify(path, query)) return executionOwner(deps.db, executionId);
    throw new TidemarkError('forbidden', {
      reason: 'This link has expired or was changed; ask for a new one',
    });
  }
  const caller = await authenticate(deps, request.headers.authorization);
  if (caller === undefined) throw new TidemarkError('unauthorized');
  request.caller = caller;
  return organizationOf(request);
}
