import { withConnection } from '../connections/index.ts';
import type { Enrichment, Session, SourceMeta } from '../connectors/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { SourceDependencies } from './layer.ts';

/** @param member of the request that names the connection. @throws invalid_field */
export function enrichmentOf({ enrichment }: Session, type: string, member: string): Enrichment {
  if (enrichment !== undefined) return enrichment;
  throw new TidemarkError('invalid_field', {
    field: member,
    reason: `a ${type} connection enriches nothing`,
  });
}

/** What to choose for an enrichment by a connection. @throws not_found for a connection that enriches nothing. */
export function enrichmentMeta(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  parameters: Record<string, string[]>,
): Promise<SourceMeta> {
  return withConnection(deps, organizationId, connectionId, async ({ enrichment }) => {
    if (enrichment === undefined) throw notFound('enrichment of connection', connectionId);
    return enrichment.meta(parameters);
  });
}

/** Sets of inputs, each of which suffices. @throws not_found for a connection that enriches nothing. */
export function enrichmentInputs(
  deps: SourceDependencies,
  organizationId: string,
  connectionId: string,
  configuration: JsonObject,
): Promise<string[][]> {
  return withConnection(deps, organizationId, connectionId, async ({ enrichment }) => {
    if (enrichment === undefined) throw notFound('enrichment of connection', connectionId);
    return enrichment.inputs(configuration);
  });
}
