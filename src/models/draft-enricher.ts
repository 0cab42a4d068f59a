import { getConnection, withConnection } from '../connections/index.ts';
import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { parseJsonPath } from '../lib/json-path.ts';
import type { EnrichmentRequest } from '../schema/model.ts';
import { type DeclaredField, declaredType } from './declared-field.ts';
import { requireField } from './draft-relations.ts';
import type { Enricher } from './enricher.ts';
import { enrichmentOf } from './enrichment.ts';
import type { SourceDependencies } from './layer.ts';

/** Where a request names no fields: the whole answer. */
const whole: DeclaredField = { name: 'response', label: 'Response', type: 'object', example: null, path: [] };

/**
 * @param before of the model that is being changed.
 * @param fields of the model.
 * @throws invalid_field
 */
export async function draftEnricher(
  deps: SourceDependencies,
  organizationId: string,
  request: EnrichmentRequest | null | undefined,
  fields: readonly Field[],
  before: Enricher | null,
): Promise<Enricher | null> {
  if (request == null || Object.keys(request).length === 0) return null;
  const { connection_id: connectionId, enricher_id: id, mappings = {} } = request;
  if (!connectionId) throw wrong('connection_id', 'is needed');
  if (id && id !== before?.id) throw wrong('enricher_id', `this model has no enricher ${id}`);
  // A request body is JSON, so its members are.
  const configuration = (request.configuration ?? {}) as JsonObject;
  await getConnection(deps.db, organizationId, connectionId).catch((cause: unknown) => {
    if (!(cause instanceof TidemarkError && cause.key === 'not_found')) throw cause;
    throw wrong('connection_id', `there is no connection ${connectionId}`);
  });
  const sets = await withConnection(deps, organizationId, connectionId, async (session, connection) => {
    const enrichment = enrichmentOf(session, connection.type, 'enricher.connection_id');
    const inputs = enrichment.inputs(configuration);
    enrichment.lookup(configuration);
    return inputs;
  });
  for (const name of Object.keys(mappings)) requireField(fields, name, 'enricher.mappings');
  const mapped = Object.values(mappings);
  const inWords = sets.map((set) => set.join(' and ')).join(', or ');
  const unknown = mapped.find((input) => !sets.some((set) => set.includes(input)));
  if (unknown !== undefined) {
    throw wrong(
      'mappings',
      `${JSON.stringify(unknown)} is no input of this connection, which takes ${inWords}`,
    );
  }
  if (!sets.some((set) => set.every((input) => mapped.includes(input)))) {
    throw wrong('mappings', `maps fields of the model to inputs of the connection, which needs ${inWords}`);
  }
  return {
    // Syncs name its fields by this id: it stays what it is while the service does.
    id: before !== null && (id || before.connectionId === connectionId) ? before.id : crypto.randomUUID(),
    connectionId,
    configuration,
    mappings,
    fields: declare(request.fields ?? []),
  };
}

function declare(requested: NonNullable<EnrichmentRequest['fields']>): DeclaredField[] {
  if (requested.length === 0) return [whole];
  const earlier = new Set<string>();
  return requested.map(({ name = '', label, type, example }, index) => {
    const member = `fields.${index}`;
    if (name === whole.name) return whole;
    const path = parseJsonPath(name.startsWith('[') ? name : `.${name}`);
    if (path === undefined) {
      throw wrong(
        `${member}.name`,
        `${JSON.stringify(name)} is no place in an answer; write company.name or [0].id`,
      );
    }
    if (earlier.has(name)) {
      throw wrong(`${member}.name`, `there is a field ${JSON.stringify(name)} already`);
    }
    earlier.add(name);
    return {
      name,
      label: label || name,
      type: declaredType(type || 'string', `enricher.${member}.type`),
      example: typeof example === 'string' ? example : null,
      path,
    };
  });
}

function wrong(member: string, reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: `enricher.${member}`, reason });
}
