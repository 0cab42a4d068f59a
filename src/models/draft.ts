import { getConnection } from '../connections/index.ts';
import type { Field } from '../connectors/index.ts';
import { invalidField } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ModelRequest } from '../schema/model.ts';
import { draftAdditionalFields } from './additional-fields.ts';
import { declaredFieldOf } from './declared-field.ts';
import { draftEnricher } from './draft-enricher.ts';
import { draftRelations, requireField } from './draft-relations.ts';
import type { OpenOptions, SourceDependencies } from './layer.ts';
import type { ModelDraft } from './model.ts';
import { lookAtModel } from './open.ts';
import { requestedFields } from './requested-fields.ts';
import { findModels } from './store.ts';

export interface DraftOptions extends Pick<OpenOptions, 'signal' | 'lookTimeout'> {
  /** Of the model that is being changed; undefined for a new one. */
  id?: string | undefined;
}

/** Checks a request against its source and finds its fields. Stores nothing. */
export async function draftModel(
  deps: SourceDependencies,
  organizationId: string,
  request: ModelRequest,
  options: DraftOptions = {},
): Promise<ModelDraft> {
  // A request body is JSON, so its members are.
  const configuration = request.configuration as JsonObject;
  const chosen = ['table', 'view', 'query'].filter((name) => configuration[name]);
  if (chosen.length > 1) {
    // One of them would be read, and nobody would be told which.
    throw invalidField('configuration', `takes one of table, view or query, and has ${chosen.join(' and ')}`);
  }
  const { id: connectionId, type } = await getConnection(deps.db, organizationId, request.connection_id);
  const found = await lookAtModel(
    deps,
    { organizationId, connectionId, configuration },
    (source) => source.fields(),
    options,
  );
  const { names, additional, labels } = requestedFields(request);
  const additionalFields = draftAdditionalFields(additional, found);
  const declared = additionalFields.map(declaredFieldOf);
  const fields = [...select(found, names), ...declared];
  const identifier = request.identifier || null;
  if (identifier !== null) requireField(fields, identifier, 'identifier');
  const trackingColumns = request.tracking_columns ?? [];
  const all = [...found, ...declared];
  for (const column of trackingColumns) requireField(all, column, 'tracking_columns');
  const [before] = await findModels(
    deps.db,
    organizationId,
    options.id === undefined ? [] : [options.id.toLowerCase()],
  );
  const drafted = { id: options.id?.toLowerCase(), organizationId, name: request.name, fields };
  return {
    organizationId,
    connectionId,
    connectionType: type,
    name: request.name,
    configuration,
    identifier,
    fields,
    additionalFields,
    labels,
    trackingColumns,
    relations: await draftRelations(deps.db, drafted, request),
    enricher: await draftEnricher(deps, organizationId, request.enricher, all, before?.enricher ?? null),
  };
}

function select(found: Field[], names: string[] | undefined): Field[] {
  if (names === undefined || names.length === 0) return found;
  const known = new Set(found.map((field) => field.name));
  for (const name of names) if (!known.has(name)) requireField(found, name, 'fields');
  const wanted = new Set(names);
  return found.filter((field) => wanted.has(field.name));
}
