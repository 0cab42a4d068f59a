import { assignLabels, mostConditions } from '../conditions/index.ts';
import { invalidField } from '../errors.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { ModelFilter } from '../schema/model-sync-filters.ts';

/** A filter as a request has it, in whichever form. */
export interface RequestedFilter extends Pick<ModelFilter, 'field' | 'field_id' | 'function' | 'value'> {
  label: string;
  /** Where it stands, to be named in errors: `filters.0`; and where it names its field. */
  place: string;
  fieldPlace: string;
}

export interface RequestedFilters {
  filters: RequestedFilter[];
  logic: string;
  /** Of all filters of the request's list, in its order. */
  labels: string[];
  /** Where the logic stands. */
  place: string;
}

/** The filters of the model, and those of the target. */
export interface FilterForm {
  model: RequestedFilters;
  target: RequestedFilters;
}

type FilterRequest = Pick<
  ModelSyncRequest,
  'filters' | 'filter_logic' | 'model_filters' | 'target_filters' | 'target'
>;

/**
 * The filters of a request in each form that it has. The wire has two: one list of both kinds (`filters`), and since
 * 25.9.10 an object for each kind. Clients may send both back as they were answered; whoever reads this has to make sure
 * that they say the same.
 */
export function requestedFilters(request: FilterRequest): { older?: FilterForm; newer?: FilterForm } {
  const { filters, model_filters, target_filters } = request;
  const hasNewer = model_filters != null || target_filters != null;
  const hasOlder = (filters ?? []).length > 0;
  return {
    ...(hasOlder || !hasNewer ? { older: olderForm(request) } : {}),
    ...(hasNewer ? { newer: newerForm(request) } : {}),
  };
}

function olderForm({ filters, filter_logic, target }: FilterRequest): FilterForm {
  const given = filters ?? [];
  limit(given.length, 'filters');
  const kinds = given.map(({ field_type }, index) => {
    const kind = field_type || 'Model';
    if (kind === 'Model' || kind === 'Target') return kind;
    throw invalidField(`filters.${index}.field_type`, 'is one of Model, Target');
  });
  const labels = assignLabels(
    given.map(({ label }) => label || undefined),
    (index) => `filters.${index}`,
    (index) => kinds[index] ?? '',
  );
  const all = given.map(({ field_type: _, label: __, ...filter }, index) => ({
    ...filter,
    label: labels[index] ?? '',
    place: `filters.${index}`,
    fieldPlace: `filters.${index}.${filter.field ? 'field.field' : 'field_id'}`,
  }));
  const of = (kind: string) => all.filter((_, index) => kinds[index] === kind);
  return {
    model: { filters: of('Model'), labels, logic: filter_logic?.trim() ?? '', place: 'filter_logic' },
    target: {
      filters: of('Target'),
      labels,
      logic: target.filter_logic?.trim() ?? '',
      place: 'target.filter_logic',
    },
  };
}

function newerForm({ model_filters: model, target_filters: target }: FilterRequest): FilterForm {
  return {
    model: newer('model_filters', model?.conditions ?? [], model?.logic, ({ source, ...condition }) => ({
      ...condition,
      field: source,
    })),
    target: newer('target_filters', target?.conditions ?? [], target?.logic, ({ field, ...condition }) => ({
      ...condition,
      field_id: field,
    })),
  };
}

function newer<Condition extends { label?: string | null }>(
  member: string,
  conditions: readonly Condition[],
  logic: string | null | undefined,
  read: (condition: Condition) => Pick<ModelFilter, 'field' | 'field_id' | 'function' | 'value'>,
): RequestedFilters {
  limit(conditions.length, `${member}.conditions`);
  const placeOf = (index: number) => `${member}.conditions.${index}`;
  const labels = assignLabels(
    conditions.map(({ label }) => label || undefined),
    placeOf,
  );
  return {
    filters: conditions.map((condition, index) => ({
      ...read(condition),
      label: labels[index] ?? '',
      place: placeOf(index),
      fieldPlace: `${placeOf(index)}.${member === 'model_filters' ? 'source.field' : 'field'}`,
    })),
    logic: logic?.trim() ?? '',
    labels,
    place: `${member}.logic`,
  };
}

function limit(count: number, place: string): void {
  if (count > mostConditions) throw invalidField(place, `has more than ${mostConditions} filters`);
}
