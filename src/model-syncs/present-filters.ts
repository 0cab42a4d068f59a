import type { ModelFilter, ModelFilters, TargetFilters } from '../schema/model-sync-filters.ts';
import type { LabelledCondition } from './filters.ts';
import type { Definition } from './model-sync.ts';
import { sourceOf } from './synced-models.ts';

const operandOf = ({ function: name, value, label }: LabelledCondition) => ({
  function: name,
  ...(value === null ? {} : { value }),
  label,
});

/** The older form: both kinds in one list. */
export function presentFilters({ modelId, filters, targetFiltering }: Definition): ModelFilter[] {
  return [
    ...filters.map((one) => ({
      field: sourceOf(modelId, one.field),
      ...(one.fieldId === undefined ? {} : { field_id: one.fieldId }),
      field_type: 'Model',
      ...operandOf(one),
    })),
    ...targetFiltering.filters.map((one) => ({
      field_id: one.field,
      field_type: 'Target',
      ...operandOf(one),
    })),
  ];
}

/** The newer form, of what there is. */
export function presentNewerFilters({ modelId, filters, filterLogic, targetFiltering }: Definition): {
  model_filters?: ModelFilters;
  target_filters?: TargetFilters;
} {
  const conditions = filters.map((one) => ({ source: sourceOf(modelId, one.field), ...operandOf(one) }));
  const targets = targetFiltering.filters.map((one) => ({ field: one.field, ...operandOf(one) }));
  return {
    ...(conditions.length === 0 ? {} : { model_filters: { conditions, logic: filterLogic } }),
    ...(targets.length === 0
      ? {}
      : { target_filters: { conditions: targets, logic: targetFiltering.filterLogic } }),
  };
}
