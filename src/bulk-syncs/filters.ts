import { type Condition, checkCondition, mostConditions } from '../conditions/index.ts';
import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { BulkFilter } from '../schema/bulk-sync.ts';

/**
 * @param fields of the schema, empty while they are not known.
 * @param place of the filters in the request, to be named in errors.
 * @throws invalid_field
 */
export function draftFilters(
  filters: readonly BulkFilter[],
  fields: readonly Field[],
  place: string,
): Condition[] {
  if (filters.length > mostConditions) {
    const reason = `has more than ${mostConditions} filters`;
    throw new TidemarkError('invalid_field', { field: place, reason });
  }
  return filters.map(({ field_id, ...rest }, index) => {
    const at = `${place}.${index}`;
    const places = { field: `${at}.field_id`, function: `${at}.function`, value: `${at}.value` };
    return checkCondition({ field: field_id ?? '', ...rest }, fields.length > 0 ? fields : undefined, places);
  });
}

export function presentFilters(filters: readonly Condition[]): BulkFilter[] {
  return filters.map(({ field, function: name, value }) => ({
    field_id: field,
    function: name,
    ...(value === null ? {} : { value }),
  }));
}
