import { type Static, Type } from 'typebox';
import { limits } from '../limits.ts';
import { anyValue, FieldName, Id, Label, Logic, Word } from './bounded.ts';
import { filterFunctions } from './filter.ts';
import { optional } from './optional.ts';
import { refused } from './unread.ts';

export const Source = Type.Object({ model_id: Id, field: FieldName });

const operand = {
  function: { ...Word, description: filterFunctions.join(', ') },
  value: Type.Optional(anyValue({ description: 'What the function takes: see docs/filters.md.' })),
  label: optional({ ...Label, description: 'Names it in the logic; given by the server if left out.' }),
};
const otherField = refused('a filter compares with a value, not with another field');

/** The older form, of model and target filters in one list. */
export const ModelFilter = Type.Object({
  field: optional(Source),
  field_id: optional({ ...FieldName, description: 'Name or id of a field.' }),
  field_type: optional({ ...Word, description: 'Model, which is the default, or Target in mode update.' }),
  ...operand,
  value_field: otherField,
});
export type ModelFilter = Static<typeof ModelFilter>;

/** Which records of the model are synced. */
export const ModelFilters = Type.Object({
  conditions: optional(
    Type.Array(Type.Object({ source: Source, ...operand }), { maxItems: limits.lists.filters.most }),
  ),
  logic: optional(Logic),
});
export type ModelFilters = Static<typeof ModelFilters>;

/** Which records of the target may be changed. */
export const TargetFilters = Type.Object({
  conditions: optional(
    Type.Array(Type.Object({ field: FieldName, ...operand, value_source: otherField }), {
      maxItems: limits.lists.filters.most,
    }),
  ),
  logic: optional(Logic),
});
export type TargetFilters = Static<typeof TargetFilters>;
