import type { Field } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { invalidField, TidemarkError, unprocessable } from '../errors.ts';
import { orMeant } from '../lib/near-name.ts';
import { limits } from '../limits.ts';
import {
  enrichedFields,
  type FieldsOfOthers,
  findEnrichedModel,
  findField,
  getModel,
  type Model,
  relatedModels,
  relatedName,
  splitRelatedName,
} from '../models/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { RequestedFilter } from './filter-requests.ts';
import { identityPlace } from './identity-request.ts';
import type { Definition, MappedField } from './model-sync.ts';

/** The models whose fields a sync may use. */
export interface SyncedModels {
  /** The one whose records are synced. */
  base: Model;
  /** Joined to it, and what is looked up for it. */
  related: FieldsOfOthers[];
}

/** What a request names: a model, or by its own id the enrichment of one. */
interface Named {
  id: string;
  model: Model;
  member: string;
}

type NamingFields = Pick<ModelSyncRequest, 'fields' | 'identity' | 'identities' | 'overrides'>;
type Source = { model_id: string; field: string } | null | undefined;

/**
 * A sync may name fields of several models. One of them has to lead to all others by relations: its records are synced.
 *
 * @throws unprocessable, naming the member.
 */
export async function modelsOf(
  db: Database,
  organizationId: string,
  request: NamingFields,
  filters: readonly RequestedFilter[],
): Promise<SyncedModels> {
  const named = new Map<string, Named>();
  for (const { member, id } of referencesOf(request, filters)) {
    if (id === undefined) throw wrong(member, 'is needed');
    if (named.has(id)) continue;
    if (named.size >= limits.lists.models.most)
      throw wrong(member, `is of one model more than the ${limits.lists.models.most} that a sync may use`);
    named.set(id, { id, member, model: await existing(db, organizationId, id, `${member}.model_id`) });
  }
  const [first] = named.values();
  if (first === undefined) throw wrong('fields', 'map at least one field');
  let nearest: { base: Model; lost: Named } | undefined;
  for (const { model: base } of named.values()) {
    const related: FieldsOfOthers[] = (await relatedModels(db, base)).map((one) => one.model);
    if (base.enricher !== null) related.push(enrichedFields(base.enricher));
    const reached = new Set([base, ...related].map(({ id }) => id));
    const lost = [...named.values()].find(({ id }) => !reached.has(id.toLowerCase()));
    if (lost === undefined) return { base, related };
    nearest ??= { base, lost };
  }
  const { base, lost } = nearest ?? { base: first.model, lost: first };
  if (lost.id.toLowerCase() === lost.model.enricher?.id) {
    const reason = `is the enrichment of model ${lost.model.name}, and the synced model is ${base.name}`;
    throw wrong(`${lost.member}.model_id`, reason);
  }
  const reason = `no relation leads from model ${base.name} to model ${lost.model.name}, nor the other way round`;
  throw wrong(`${lost.member}.model_id`, `${reason}; relate them (relations of a model)`);
}

/** Clients may refer to a field by name or by id. @returns its name among those of the synced model. */
export function fieldOf(models: SyncedModels, source: Source, member: string): string {
  const { base, related } = models;
  const reference = source?.field ?? '';
  const model = [base, ...related].find(({ id }) => id === source?.model_id.toLowerCase()) ?? base;
  const field = findField(model.id, model.fields, reference);
  if (field !== undefined) return ownField(models, model, field.name);
  const near = orMeant(
    reference,
    model.fields.map(({ name }) => name),
  );
  const reason = `${JSON.stringify(reference)} is not a field of model ${model.name}${near}`;
  throw wrong(`${member}.field`, reason);
}

/** The name of a field among those of the synced model. */
export function ownField({ base }: SyncedModels, model: FieldsOfOthers, name: string): string {
  return model.id === base.id ? name : relatedName(model.id, name);
}

/** A field by what `ownField` calls it. Undefined for one that is not in its model any more. */
export function knownField({ base, related }: SyncedModels, own: string): Field | undefined {
  const at = splitRelatedName(own);
  const model = at === undefined ? base : related.find(({ id }) => id === at.modelId);
  return model === undefined ? undefined : findField(model.id, model.fields, at?.field ?? own);
}

/**
 * What fields of related models are called in a target that takes whole records: as in their model, and where that name
 * is taken with the name of the model in front.
 */
export function nameRelated(
  { related }: SyncedModels,
  mapped: readonly Pick<MappedField, 'field'>[],
): <One extends Pick<MappedField, 'field'>>(one: One) => One & { as?: string } {
  const used = [...new Set(mapped.flatMap(({ field }) => field ?? []))];
  const taken = new Set(used.filter((name) => splitRelatedName(name) === undefined));
  const names = new Map<string, string>();
  for (const name of used) {
    const at = splitRelatedName(name);
    if (at === undefined) continue;
    const model = related.find(({ id }) => id === at.modelId);
    const as = taken.has(at.field) ? `${model?.name}_${at.field}` : at.field;
    taken.add(as);
    names.set(name, as);
  }
  return (one) => {
    const as = one.field === undefined ? undefined : names.get(one.field);
    return as === undefined ? one : { ...one, as };
  };
}

/** Every model whose fields a sync uses, the synced one first. Its enrichment is no model. */
export function modelIdsOf({ base }: SyncedModels, using: UsesFields): string[] {
  const related = fieldsUsedBy(using).flatMap((name) => splitRelatedName(name)?.modelId ?? []);
  return [...new Set([base.id, ...related.filter((id) => id !== base.enricher?.id)])];
}

type UsesFields = Pick<Definition, 'identity' | 'fields' | 'filters'>;

/** Names of the fields that a sync itself names. */
export function fieldsUsedBy({ identity, fields, filters }: UsesFields): string[] {
  const mapped = fields.flatMap(({ field }) => field ?? []);
  return [...(identity === null ? [] : [identity.field]), ...mapped, ...filters.map(({ field }) => field)];
}

/** How the wire names a field. */
export function sourceOf(modelId: string, field: string): { model_id: string; field: string } {
  const related = splitRelatedName(field);
  return related === undefined
    ? { model_id: modelId, field }
    : { model_id: related.modelId, field: related.field };
}

function referencesOf(
  request: NamingFields,
  filters: readonly RequestedFilter[],
): { member: string; id: string | undefined }[] {
  const { fields, identity, overrides } = request;
  const sources: { member: string; source: Source }[] = [];
  if (identity) sources.push({ member: `${identityPlace(request)}.source`, source: identity.source });
  for (const [index, { source, override_value }] of fields.entries()) {
    if (override_value == null) sources.push({ member: `fields.${index}.source`, source });
  }
  for (const { field, fieldPlace } of filters) {
    if (field) sources.push({ member: fieldPlace.replace(/\.field$/, ''), source: field });
  }
  for (const [index, { field, field_id }] of (overrides ?? []).entries()) {
    if (field && !field_id) sources.push({ member: `overrides.${index}.field`, source: field });
  }
  return sources.map(({ member, source }) => ({ member, id: source?.model_id }));
}

async function existing(db: Database, organizationId: string, id: string, member: string): Promise<Model> {
  try {
    return (
      (await findEnrichedModel(db, organizationId, id.toLowerCase())) ??
      (await getModel(db, organizationId, id))
    );
  } catch (error) {
    if (error instanceof TidemarkError && error.key === 'not_found') throw wrong(member, error.message);
    throw error;
  }
}

/** What is wrong with conditions is told as `checkCondition` does. */
function wrong(field: string, reason: string): TidemarkError {
  return (/^(filters|model_filters|overrides)\./.test(field) ? invalidField : unprocessable)(field, reason);
}
