import type { AdditionalFieldRequest, ModelRequest } from '../schema/model.ts';

/** What a request says of fields and labels, by name, whether as one says it or as it was answered. */
export interface RequestedFields {
  /** Of the source. Undefined: all. */
  names: string[] | undefined;
  additional: readonly AdditionalFieldRequest[];
  labels: string[];
}

/** An answer has the additional fields among the others: sent back without `additional_fields`, they stay. */
export function requestedFields({ fields, additional_fields, labels }: ModelRequest): RequestedFields {
  const given = fields ?? [];
  const names = given.flatMap((field) => {
    if (typeof field === 'string') return [field];
    return field.user_added ? [] : [field.name];
  });
  const answered = given.flatMap((field) => {
    if (typeof field === 'string' || !field.user_added) return [];
    const { name, label = name, type = 'string', example } = field;
    return [{ name, label, type, ...(typeof example === 'string' ? { example } : {}) }];
  });
  return {
    names: given.length === 0 ? undefined : names,
    additional: additional_fields ?? answered,
    labels: (labels ?? []).map((label) => (typeof label === 'string' ? label : label.name)),
  };
}
