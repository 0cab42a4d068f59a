import { isDeepStrictEqual } from 'node:util';
import { type Condition, checkCondition, type Expression, parseLogic } from '../conditions/index.ts';
import type { TargetField } from '../connectors/index.ts';
import { invalidField, unprocessable } from '../errors.ts';
import { type FieldsOfOthers, findField, findFieldById } from '../models/index.ts';
import type { ModelSyncRequest } from '../schema/model-sync.ts';
import type { ModelFilter } from '../schema/model-sync-filters.ts';
import {
  type FilterForm,
  type RequestedFilter,
  type RequestedFilters,
  requestedFilters,
} from './filter-requests.ts';
import { ownField, type SyncedModels } from './synced-models.ts';

/** A condition with the label by which the logic names it. */
export interface LabelledCondition extends Condition {
  label: string;
  /** How a request of the older form named the field, where it did not by its name: it is answered alike. */
  fieldId?: string;
}

/** Which records of the model are synced. */
export interface Filtering {
  filters: LabelledCondition[];
  /** `A AND (B OR NOT C)`; empty: all of them. */
  filterLogic: string;
  /** The logic as the request had it, where that is another text: with positions for labels. */
  sentLogic?: string;
}

/** @throws invalid_field */
export function draftFilters(models: SyncedModels, request: ModelSyncRequest): Filtering {
  return draftOf(request, 'model', (filter, places) => {
    const { model, name } = referencedField(models, filter);
    const condition = checkCondition({ ...filter, field: name }, model.fields, places);
    return { ...condition, field: ownField(models, model, name) };
  });
}

/** Which rows of the target may be updated. @throws invalid_field */
export function draftTargetFilters(fields: readonly TargetField[], request: ModelSyncRequest): Filtering {
  const filterable = fields.filter((field) => field.filterable);
  return draftOf(request, 'target', (filter, places) => {
    if (request.mode !== 'update') {
      const older = filter.place.startsWith('filters.');
      const place = older ? `${filter.place}.field_type` : filter.place;
      throw invalidField(
        place,
        `${older ? 'Target' : 'a filter of the target'} is for mode update, which looks for rows to change`,
      );
    }
    const field = filter.field?.field ?? filter.field_id ?? '';
    return checkCondition({ ...filter, field }, filterable, places);
  });
}

type Places = Parameters<typeof checkCondition>[2];
type ConditionOf = (filter: RequestedFilter, places: Places) => Condition;

/** The filters of one kind: all have labels of their own, and each kind a logic that combines them. */
function draftOf(request: ModelSyncRequest, kind: keyof FilterForm, conditionOf: ConditionOf): Filtering {
  const { older, newer } = requestedFilters(request);
  const [one, other] = [newer, older].flatMap((form) =>
    form === undefined ? [] : [{ asked: form[kind], filtering: filteringOf(form[kind], conditionOf) }],
  );
  if (one === undefined) return { filters: [], filterLogic: '' };
  if (other === undefined) return one.filtering;
  const same = isDeepStrictEqual(
    filterOf(one.filtering, one.asked.place),
    filterOf(other.filtering, other.asked.place),
  );
  // As they were read and sent back: what the older form has beyond the newer stays as it was.
  if (same) return other.filtering;
  const reason = `says something else than ${kind}_filters: send one of them`;
  throw unprocessable(kind === 'model' ? 'filters' : 'filters (of field_type Target)', reason);
}

function filteringOf(
  { filters: asked, logic, labels, place }: RequestedFilters,
  conditionOf: ConditionOf,
): Filtering {
  const filters = asked.map((filter) => {
    const { label, place: at, fieldPlace, field_id } = filter;
    const places = { field: fieldPlace, function: `${at}.function`, value: `${at}.value` };
    const condition = conditionOf(filter, places);
    return {
      label,
      ...condition,
      ...(field_id && field_id !== condition.field ? { fieldId: field_id } : {}),
    };
  });
  // A position says something else once filters are added or taken away; a label does not.
  const counted = labelsByPosition(
    logic,
    asked.map(({ label }) => label),
    labels,
  );
  const filterLogic = logic.replaceAll(position, (number) => counted[Number(number) - 1] ?? number);
  const filtering = { filters, filterLogic, ...(logic === filterLogic ? {} : { sentLogic: logic }) };
  filterOf(filtering, place);
  return filtering;
}

const position = /(?<![\w])\d+(?![\w])/g;

/**
 * What the positions of a logic stand for. The older form has both kinds of filters in one list: clients count among all
 * of them or, as Terraform does, among those that the logic is for. A logic names each of its filters, so it can only
 * be meant in one of the two ways.
 */
function labelsByPosition(logic: string, own: readonly string[], all: readonly string[]): readonly string[] {
  const counts = (labels: readonly string[]) =>
    (logic.match(position) ?? []).every((number) => own.includes(labels[Number(number) - 1] ?? ''));
  return counts(all) || !counts(own) ? all : own;
}

/** @param place of the logic, to be named in errors. @throws invalid_field */
export function filterOf(
  { filters, filterLogic }: Filtering,
  place = 'filter_logic',
): Expression | undefined {
  const labelled = filters.map(({ label, fieldId: _, ...condition }) => ({ label, condition }));
  return parseLogic(filterLogic, labelled, place);
}

/**
 * Clients may refer to a field by name or by id, or in both ways at once. Which of them wins differs between generations
 * of clients, so they have to agree; an id that is none counts for nothing.
 */
export function referencedField(
  models: SyncedModels,
  { field, field_id, place = '' }: Pick<ModelFilter, 'field' | 'field_id'> & { place?: string },
): { model: FieldsOfOthers; name: string } {
  const all: FieldsOfOthers[] = [models.base, ...models.related];
  const byId = all.flatMap((model) => {
    const found = findFieldById(model.id, model.fields, field_id ?? '');
    return found === undefined ? [] : [{ model, name: found.name }];
  })[0];
  if (!field) return byId ?? { model: models.base, name: field_id ?? '' };
  const among = all.filter(({ id }) => id === field.model_id.toLowerCase());
  const named = among.flatMap((model) => {
    const found = findField(model.id, model.fields, field.field);
    return found === undefined ? [] : [{ model, name: found.name }];
  })[0] ?? { model: among[0] ?? models.base, name: field.field };
  if (byId !== undefined && (byId.model.id !== named.model.id || byId.name !== named.name)) {
    throw invalidField(
      `${place}.field_id`,
      `names ${byId.name}, and field names ${named.name}: send one of them`,
    );
  }
  return named;
}
