import {
  assignLabels,
  type Condition,
  checkCondition,
  type Expression,
  parseLogic,
} from '../conditions/index.ts';
import type { TargetField } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import { type FieldsOfOthers, fieldId } from '../models/index.ts';
import type { ModelFilter, ModelSyncRequest } from '../schema/model-sync.ts';
import type { Definition } from './model-sync.ts';
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

type FilterRequest = Pick<ModelSyncRequest, 'filters' | 'filter_logic' | 'mode' | 'target'>;
type Places = Parameters<typeof checkCondition>[2];

/** @throws invalid_field */
export function draftFilters(models: SyncedModels, request: FilterRequest): Filtering {
  return draftOf('Model', request, (filter, places) => {
    const { model, name } = referencedField(models, filter);
    const condition = checkCondition({ ...filter, field: name }, model.fields, places);
    return { ...condition, field: ownField(models, model, name) };
  });
}

/** Which rows of the target may be updated. @throws invalid_field */
export function draftTargetFilters(fields: readonly TargetField[], request: FilterRequest): Filtering {
  const filterable = fields.filter((field) => field.filterable);
  return draftOf('Target', request, (filter, places, place) => {
    if (request.mode !== 'update') {
      const reason = 'Target is for mode update, which looks for rows to change';
      throw new TidemarkError('invalid_field', { field: `${place}.field_type`, reason });
    }
    return checkCondition(
      { ...filter, field: filter.field?.field ?? filter.field_id ?? '' },
      filterable,
      places,
    );
  });
}

const logics = { Model: 'filter_logic', Target: 'target.filter_logic' };

/** The filters of one kind: all have labels of their own, and each kind a logic that combines them. */
function draftOf(
  kind: keyof typeof logics,
  request: FilterRequest,
  conditionOf: (filter: ModelFilter, places: Places, place: string) => Condition,
): Filtering {
  const given = request.filters ?? [];
  const labels = assignLabels(
    given.map(({ label }) => label || undefined),
    'filters',
  );
  const filters = given.flatMap((filter, index) => {
    const place = `filters.${index}`;
    const type = filter.field_type || 'Model';
    if (!Object.hasOwn(logics, type)) {
      const reason = `is one of ${Object.keys(logics).join(', ')}`;
      throw new TidemarkError('invalid_field', { field: `${place}.field_type`, reason });
    }
    if (type !== kind) return [];
    const field = filter.field ? `${place}.field.field` : `${place}.field_id`;
    const places = { field, function: `${place}.function`, value: `${place}.value` };
    return [{ label: labels[index] ?? '', ...conditionOf(filter, places, place) }];
  });
  const logic = ((kind === 'Model' ? request.filter_logic : request.target.filter_logic) ?? '').trim();
  // A position says something else once filters are added or taken away; a label does not.
  const filterLogic = logic.replaceAll(/\d+/g, (number) => labels[Number(number) - 1] ?? number);
  const filtering = { filters, filterLogic };
  filterOf(filtering, logics[kind]);
  return filtering;
}

export function filterOf({ filters, filterLogic }: Filtering, place = logics.Model): Expression | undefined {
  const labelled = filters.map(({ label, ...condition }) => ({ label, condition }));
  return parseLogic(filterLogic, labelled, place);
}

export function presentFilters({ modelId, filters, targetFiltering }: Definition): ModelFilter[] {
  const present = ({ label, function: name, value }: LabelledCondition) => ({
    function: name,
    ...(value === null ? {} : { value }),
    label,
  });
  return [
    ...filters.map((one) => ({ field: sourceOf(modelId, one.field), field_type: 'Model', ...present(one) })),
    ...targetFiltering.filters.map((one) => ({ field_id: one.field, field_type: 'Target', ...present(one) })),
  ];
}

/** Clients may refer to a field by name or by id; of `field` and `field_id`, `field` wins. */
export function referencedField(
  { base, related }: SyncedModels,
  { field, field_id }: Pick<ModelFilter, 'field' | 'field_id'>,
): { model: FieldsOfOthers; name: string } {
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
