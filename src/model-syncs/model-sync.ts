import type { ModelSyncMode } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Actor } from '../organizations/index.ts';
import type { ScheduleSettings } from '../schedules/index.ts';
import type { Encryption } from './encryption.ts';
import type { Filtering } from './filters.ts';
import type { Override } from './overrides.ts';

/** What a sync does, as the API accepted it. Also what a running execution holds on to. */
export interface Definition extends Filtering {
  modelId: string;
  mode: ModelSyncMode;
  /** As the user calls it: `snapshot` is another name of `replace`. */
  modeName: string;
  target: { connectionId: string; object: string; configuration: JsonObject };
  /** Field of the model and target field that identify a record. */
  identity: { field: string; target: string } | null;
  fields: MappedField[];
  overrides: Override[];
  /** Null where no field is encrypted. */
  encryption: Encryption | null;
  /** No change detection: every record is sent every time. */
  syncAllRecords: boolean;
  /** The first execution only records what is there. */
  skipInitialBackfill: boolean;
}

export interface MappedField {
  /** Of the model; undefined for a constant. */
  field?: string;
  /** What every record gets instead. */
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
  createdBy: Actor | null;
  updatedBy: Actor | null;
  createdAt: string;
  updatedAt: string;
}

export type ModelSyncDraft = Definition & Pick<ModelSync, 'name' | 'active' | 'schedule'>;
