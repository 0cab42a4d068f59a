import {
  assignLabels,
  type Condition,
  checkCondition,
  type Expression,
  parseLogic,
} from '../conditions/index.ts';
import { TidemarkError } from '../errors.ts';
import { type FieldsOfOthers, fieldId } from '../models/index.ts';
import type { ModelFilter, ModelSyncRequest } from '../schema/model-sync.ts';
import { ownField, type SyncedModels, sourceOf } from './synced-models.ts';

/** A condition with the label by which the logic names it. */
export interface LabelledCondition extends Condition {
  label: string;
}

/** Which records of the model are synced. */
export interface Filtering {
  filters: LabelledCondition[];
  /** `A AND (B OR NOT C)`; empty: all of them. */
  filterLogic: string;
}

/** @throws invalid_field */
export function draftFilters(
  models: SyncedModels,
  request: Pick<ModelSyncRequest, 'filters' | 'filter_logic'>,
): Filtering {
  const given = request.filters ?? [];
  const labels = assignLabels(
    given.map(({ label }) => label || undefined),
    'filters',
  );
  const filters = given.map((filter, index) => {
    const place = `filters.${index}`;
    const field = filter.field ? `${place}.field.field` : `${place}.field_id`;
    const places = { field, function: `${place}.function`, value: `${place}.value` };
    const { model, name } = referencedField(models, filter, place);
    const condition = checkCondition({ ...filter, field: name }, model.fields, places);
    return { label: labels[index] ?? '', ...condition, field: ownField(models, model, name) };
  });
  const logic = (request.filter_logic ?? '').trim();
  const filtering = { filters, filterLogic: logic };
  filterOf(filtering);
  // A position says something else once filters are added or taken away; a label does not.
  return { filters, filterLogic: logic.replaceAll(/\d+/g, (number) => labels[Number(number) - 1] ?? number) };
}

export function filterOf({ filters, filterLogic }: Filtering): Expression | undefined {
  const labelled = filters.map(({ label, ...condition }) => ({ label, condition }));
  return parseLogic(filterLogic, labelled, 'filter_logic');
}

export function presentFilters(modelId: string, filters: readonly LabelledCondition[]): ModelFilter[] {
  return filters.map(({ label, field, function: name, value }) => ({
    field: sourceOf(modelId, field),
    field_type: 'Model',
    function: name,
    ...(value === null ? {} : { value }),
    label,
  }));
}

/** Clients may refer to a field by name or by id; of `field` and `field_id`, `field` wins. */
export function referencedField(
  { base, related }: SyncedModels,
  { field, field_id, field_type }: Pick<ModelFilter, 'field' | 'field_id' | 'field_type'>,
  place: string,
): { model: FieldsOfOthers; name: string } {
  if (field_type && field_type !== 'Model') {
    const reason = 'Target is not built yet: filter the model';
    throw new TidemarkError('invalid_field', { field: `${place}.field_type`, reason });
  }
  const reference = field?.field ?? field_id ?? '';
  const models: FieldsOfOthers[] = [base, ...related].filter(
    ({ id }) => !field || id === field.model_id.toLowerCase(),
  );
  for (const model of models) {
    const found = model.fields.find(({ name }) => fieldId(model.id, name) === reference);
    if (found !== undefined) return { model, name: found.name };
  }
  return { model: models[0] ?? base, name: reference };
}
