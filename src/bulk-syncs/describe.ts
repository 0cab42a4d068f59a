import { cachedSchemas, type OpenDependencies, withConnection } from '../connections/index.ts';
import type { Session, SourceSchema } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';

/** What a connection offers to bulk syncs: its schemas, from the cache, and whether a field can be followed. */
export async function describeSource(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
): Promise<{ schemas: SourceSchema[]; followsFields: boolean }> {
  const source = await checkPart(
    deps,
    organizationId,
    connectionId,
    'source',
    ({ bulkSource }) => bulkSource,
  );
  return {
    schemas: await cachedSchemas(deps.db, connectionId),
    followsFields: source.trackingBound !== undefined,
  };
}

const modes = [
  { id: 'replicate', label: 'Replicate', description: 'Keep a copy of the source' },
  { id: 'snapshot', label: 'Replace', description: 'Replace all records' },
].map((mode) => ({
  ...mode,
  requires_identity: false,
  supports_field_sync_mode: false,
  supports_target_filters: false,
}));

/** `BulkSyncDest` on the wire: what a sync into the connection can be told. */
export async function describeDestination(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
) {
  const destination = await checkPart(
    deps,
    organizationId,
    connectionId,
    'destination',
    ({ bulkDestination }) => bulkDestination,
  );
  return {
    configuration: destination.options,
    modes,
    supported_resync_modes: ['refetch', 'resync', 'rebuild'],
  };
}

function checkPart<Part>(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
  role: string,
  part: (session: Session) => Part | undefined,
): Promise<Part> {
  return withConnection(deps, organizationId, connectionId, async (session, { type }) => {
    const found = part(session);
    if (found !== undefined) return found;
    throw new TidemarkError('bad_request', {
      reason: `A ${type} connection cannot be the ${role} of a bulk sync`,
    });
  });
}
