import type { Field } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Actor } from '../organizations/index.ts';
import type { AdditionalField } from './additional-fields.ts';
import type { Enricher } from './enricher.ts';

/** Where the value of a field is found again: in a field of another model. */
export interface Relation {
  from: string;
  to: { modelId: string; field: string };
}

/** A reusable view over one source connection: which records, and which of their fields. */
export interface Model {
  id: string;
  organizationId: string;
  connectionId: string;
  /** Type of the connection, e.g. `postgresql`. */
  connectionType: string;
  name: string;
  /** What is read, e.g. `{ table: 'public.users' }`. */
  configuration: JsonObject;
  /** The field that identifies a record. */
  identifier: string | null;
  /** The selected fields as the source described them when the model was last saved, in source order. */
  fields: Field[];
  /** Those of the fields that are declared: places in the JSON of others. */
  additionalFields: AdditionalField[];
  labels: string[];
  /** Where there are any, a record has changed when one of these has, whatever else did. */
  trackingColumns: string[];
  relations: Relation[];
  enricher: Enricher | null;
  /** Counts up with every change. */
  version: number;
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}

/** What a request says about a model, checked against its source. */
export type ModelDraft = Pick<
  Model,
  | 'organizationId'
  | 'connectionId'
  | 'connectionType'
  | 'name'
  | 'configuration'
  | 'identifier'
  | 'fields'
  | 'additionalFields'
  | 'labels'
  | 'trackingColumns'
  | 'relations'
  | 'enricher'
>;
