import type { IdentityFunction, ModelSyncMode } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Actor } from '../organizations/index.ts';
import type { ScheduleSettings } from '../schedules/index.ts';
import type { Encryption } from './encryption.ts';
import type { Filtering } from './filters.ts';
import type { Override } from './overrides.ts';
import type { Wording } from './wording.ts';

/** What a sync does, as the API accepted it. Also what a running execution holds on to. */
export interface Definition extends Filtering {
  /** The model whose records are synced. */
  modelId: string;
  /** Every model whose fields are used, that one first. */
  modelIds: string[];
  mode: ModelSyncMode;
  /** As the user calls it: `snapshot` is another name of `replace`. */
  modeName: string;
  target: { connectionId: string; object: string; configuration: JsonObject };
  /** Which rows of the target may be updated. */
  targetFiltering: Filtering;
  /** Field of the model, or of a related one, and target field that identify a record. */
  identity:
    | (NamedField & { target: string /** Equality where there is none. */; function?: IdentityFunction })
    | null;
  fields: MappedField[];
  overrides: Override[];
  /** Null where no field is encrypted. */
  encryption: Encryption | null;
  /** No change detection: every record is sent every time. */
  syncAllRecords: boolean;
  /** The first execution only records what is there. */
  skipInitialBackfill: boolean;
  /** Only a change of the model itself is one, not one of a related model or of what is looked up. */
  onlyEnrichUpdates: boolean;
  /** Rows that an execution may delete, or a share of them; null for the usual share. */
  maxDeletes: string | null;
}

interface NamedField {
  /** Of the model, or by its `relatedName` of a related one. */
  field: string;
  /** What a field of a related model is called in a target that takes whole records. */
  as?: string;
}

export interface MappedField extends Partial<NamedField> {
  /** What every record gets instead of a field. */
  constant?: string;
  target: string;
  /** Written when the record is created, or while the target has nothing there. */
  createOnly: boolean;
  /** What is sent is encrypted, see `encryption.ts`. */
  encrypted?: boolean;
}

/** Maps fields of a model onto fields of one target object. */
export interface ModelSync extends Definition {
  id: string;
  organizationId: string;
  name: string;
  active: boolean;
  schedule: ScheduleSettings;
  /** Null for syncs that were stored before there was one. */
  wording: Wording | null;
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}

export type ModelSyncDraft = Definition & Pick<ModelSync, 'name' | 'active' | 'schedule' | 'wording'>;
