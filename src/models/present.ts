import type { Field } from '../connectors/index.ts';
import { isUuid, nameBasedUuid } from '../lib/uuid.ts';
import type { ModelField, ModelResponse } from '../schema/model.ts';
import { type DeclaredField, declaredFieldOf } from './declared-field.ts';
import type { Enricher } from './enricher.ts';
import type { Model, ModelDraft } from './model.ts';

export function presentModel(model: Model): ModelResponse {
  return {
    id: model.id,
    ...presentDraft(model),
    fields: presentFields(model.id, model.fields, model.additionalFields),
    // Constant, since a change of it is no change of the model: Terraform takes a version that moved for one.
    version: 1,
    created_at: model.createdAt,
    updated_at: model.updatedAt,
    ...(model.createdBy === null ? {} : { created_by: model.createdBy }),
    ...(model.updatedBy === null ? {} : { updated_by: model.updatedBy }),
  };
}

/** A preview: what would be stored. */
export function presentDraft(draft: ModelDraft): ModelResponse {
  return {
    organization_id: draft.organizationId,
    connection_id: draft.connectionId,
    type: draft.connectionType,
    name: draft.name,
    configuration: draft.configuration,
    identifier: draft.identifier ?? '',
    fields: presentFields(draft.connectionId, draft.fields, draft.additionalFields),
    labels: draft.labels.map((name) => ({ name })),
    tracking_columns: draft.trackingColumns,
    relations: draft.relations.map(({ from, to }) => ({
      from,
      to: { model_id: to.modelId, field: to.field },
    })),
    ...(draft.enricher === null ? {} : { enricher: presentEnricher(draft.enricher) }),
    policies: [],
    version: 1,
  };
}

function presentEnricher({ id, connectionId, configuration, mappings, fields }: Enricher) {
  return {
    enricher_id: id,
    connection_id: connectionId,
    configuration,
    mappings,
    fields: presentFields(id, fields.map(declaredFieldOf), fields),
  };
}

/** @param owner uuid of what the fields belong to: a model, or a connection while there is no model yet. */
export function presentFields(
  owner: string,
  fields: readonly Field[],
  additional: readonly DeclaredField[] = [],
): ModelField[] {
  const byName = new Map(additional.map((one) => [one.name, one]));
  return fields.map((field) => {
    const declared = byName.get(field.name);
    return {
      id: fieldId(owner, field.name),
      name: field.name,
      label: declared?.label ?? field.name,
      type: field.type,
      remote_type: field.remoteType,
      user_added: declared !== undefined,
      ...(declared?.example == null ? {} : { example: declared.example }),
    };
  });
}

/** A field by its name, or by its id. */
export function findField(owner: string, fields: readonly Field[], reference: string): Field | undefined {
  return indexOf(owner, fields).byName.get(reference) ?? findFieldById(owner, fields, reference);
}

export function findFieldById(owner: string, fields: readonly Field[], id: string): Field | undefined {
  if (!isUuid(id)) return undefined;
  const known = indexOf(owner, fields);
  known.byId ??= new Map(fields.map((field) => [fieldId(owner, field.name), field]));
  return known.byId.get(id);
}

interface Index {
  byName: Map<string, Field>;
  /** Made when it is asked for: an id is a digest. */
  byId?: Map<string, Field>;
}
/** A request names many fields of one model. */
const indexes = new WeakMap<readonly Field[], Map<string, Index>>();

function indexOf(owner: string, fields: readonly Field[]): Index {
  const owners = indexes.get(fields) ?? new Map<string, Index>();
  indexes.set(fields, owners);
  const index = owners.get(owner) ?? { byName: new Map(fields.map((field) => [field.name, field])) };
  owners.set(owner, index);
  return index;
}

/** Derived from the name, so that it survives every update that keeps the field. */
export function fieldId(owner: string, name: string): string {
  return nameBasedUuid(owner, name);
}
