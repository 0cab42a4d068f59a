import { isUuid } from '../lib/uuid.ts';

/** Length of a UUID as text. */
const length = 36;

/** A field of a related model, by the name it has among the fields of the model that is read. */
export function relatedName(modelId: string, field: string): string {
  return `${modelId}.${field}`;
}

/** @returns undefined for a field of the model itself. */
export function splitRelatedName(name: string): { modelId: string; field: string } | undefined {
  const modelId = name.slice(0, length);
  if (name[length] !== '.' || !isUuid(modelId)) return undefined;
  return { modelId, field: name.slice(length + 1) };
}
