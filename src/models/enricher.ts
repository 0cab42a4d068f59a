import type { Field } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import { type DeclaredField, declaredFieldOf } from './declared-field.ts';
import type { Model } from './model.ts';

/** Where more about the records of a model is looked up. Its fields are named like those of a related model. */
export interface Enricher {
  id: string;
  connectionId: string;
  configuration: JsonObject;
  /** Field of the model → input of the service. */
  mappings: Record<string, string>;
  fields: DeclaredField[];
}

/** What adds fields to those of a model: another model, or an enricher. */
export type FieldsOfOthers = Pick<Model, 'id' | 'name' | 'fields'>;

export function enrichedFields({ id, fields }: Enricher): FieldsOfOthers & { fields: Field[] } {
  return { id, name: 'enrichment', fields: fields.map(declaredFieldOf) };
}
