import type { Condition } from '../conditions/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Actor } from '../organizations/index.ts';
import type { discoverModes, normalizeModes } from '../schema/bulk-sync.ts';

export type BulkSyncMode = 'replicate' | 'snapshot';
export type Discover = (typeof discoverModes)[number];
export type NormalizeNames = (typeof normalizeModes)[number];

/** What a create or an update says, with its defaults filled in. */
export interface BulkSyncDraft extends BulkSyncSettings {
  name: string;
  mode: BulkSyncMode;
  active: boolean;
  sourceConnectionId: string;
  destinationConnectionId: string;
}

/** The members without a column of their own. */
export interface BulkSyncSettings {
  /** Null where the request had none. */
  sourceConfiguration: JsonObject | null;
  destinationConfiguration: JsonObject;
  addNewObjects: Discover;
  addNewFields: Discover;
  normalizeNames: NormalizeNames;
  concurrencyLimit: number | null;
  resyncConcurrencyLimit: number | null;
  dataCutoffTimestamp: string | null;
  disableRecordTimestamps: boolean;
  policies: string[];
}

export interface BulkSync extends BulkSyncDraft {
  id: string;
  organizationId: string;
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}

/** One schema of a bulk sync. */
export interface SelectedSchema {
  /** Id in the source, e.g. `public.users`. */
  id: string;
  enabled: boolean;
  settings: SchemaSettings;
  /** The name it was given by an earlier start. */
  output?: GivenName | undefined;
  /** The names that earlier executions gave its columns. */
  columnNames: readonly ColumnName[];
}

/** A name in the destination, and the naming settings it was derived by. */
export interface GivenName {
  schema: string;
  name: string;
  naming: string;
}

/** What a column of the source is called in the destination, also one that is not read any more. */
export interface ColumnName {
  /** In the source. */
  column: string;
  name: string;
  /** The settings it was derived by. */
  naming: string;
}

export interface SchemaSettings {
  /** What was said about single fields. A field that is not here came later: see `addNewFields`. */
  fields: FieldSettings[];
  /** Rows are read that fit all of them. */
  filters: Condition[];
  trackingField: string;
  partitionKey: string;
  userOutputName: string;
  dataCutoffTimestamp: string | null;
  disableDataCutoff: boolean;
}

export interface FieldSettings {
  id: string;
  enabled: boolean;
  obfuscated: boolean;
  userOutputName: string;
}
