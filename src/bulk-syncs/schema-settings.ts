import type { Field } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import { readTime } from '../lib/timestamp.ts';
import type { BulkSchemaSettings } from '../schema/bulk-sync.ts';
import type { BulkSync, FieldSettings, SchemaSettings, SelectedSchema } from './bulk-sync.ts';
import { draftFilters, presentFilters } from './filters.ts';
import { longestName } from './output-names.ts';

/** What is known of a schema before a request changes it. */
export interface KnownSchema {
  id: string;
  /** Its fields in the source, as far as they are cached. */
  fields: readonly Field[];
  /** How it is set now; undefined for one that is being added. */
  current?: SelectedSchema | undefined;
}

/**
 * What a request changes of a schema: what it does not say stays, save that no list of fields means all of them.
 *
 * @param names in the destination, which an answer has and a request may repeat. @throws invalid_field
 */
export function changeSchema(
  known: KnownSchema & { current: SelectedSchema },
  change: BulkSchemaSettings,
  names: OutputNames,
): SelectedSchema {
  checkOutputNames(known.id, change, names);
  const { enabled, settings } = known.current;
  return selectSchema(known, {
    enabled,
    filters: presentFilters(settings.filters),
    tracking_field: settings.trackingField,
    partition_key: settings.partitionKey,
    user_output_name: settings.userOutputName,
    data_cutoff_timestamp: settings.dataCutoffTimestamp,
    disable_data_cutoff: settings.disableDataCutoff,
    ...change,
  });
}

/** Names that schemas and fields have in the destination. */
export interface OutputNames {
  schema: string | undefined;
  field(id: string): string | undefined;
}

/** `output_name` is what comes of the naming rules. It may be sent back, and not be changed. */
export function checkOutputNames(id: string, request: BulkSchemaSettings, names: OutputNames): void {
  const check = (member: string, sent: string | null | undefined, name: string | undefined) => {
    if (!sent || sent === name) return;
    throw unsupported(`schemas.${id}.${member}`, `is ${name ?? 'given by the server'}: set user_output_name`);
  };
  check('output_name', request.output_name, names.schema);
  for (const field of request.fields ?? []) {
    if (typeof field === 'string') continue;
    check(`fields.${field.id}.output_name`, field.output_name, names.field(field.id));
  }
}

const unsupported = (field: string, reason: string) =>
  new TidemarkError('unsupported_member', { field, reason });

/** @throws invalid_field */
export function selectSchema(known: KnownSchema, request: BulkSchemaSettings): SelectedSchema {
  const userOutputName = request.user_output_name ?? '';
  const invalid = (field: string, reason: string) =>
    new TidemarkError('invalid_field', { field: `schemas.${known.id}.${field}`, reason });
  if (Buffer.byteLength(userOutputName) > longestName) {
    throw invalid('user_output_name', `is longer than ${longestName} bytes`);
  }
  const cutoff = request.data_cutoff_timestamp ?? null;
  if (cutoff !== null && readTime(cutoff) === undefined) {
    throw invalid('data_cutoff_timestamp', 'is no RFC 3339 time');
  }
  const tracking = request.tracking_field ?? '';
  const ids = known.fields.map(({ name }) => name);
  if (tracking !== '' && ids.length > 0 && !ids.includes(tracking)) {
    throw invalid('tracking_field', `${tracking} is no field of this schema`);
  }
  return {
    id: known.id,
    enabled: request.enabled ?? true,
    columnNames: known.current?.columnNames ?? [],
    settings: {
      fields: selectFields(known, request.fields ?? [], (reason) => invalid('fields', reason)),
      filters: draftFilters(request.filters ?? [], known.fields, `schemas.${known.id}.filters`),
      trackingField: tracking,
      partitionKey: request.partition_key ?? '',
      userOutputName,
      dataCutoffTimestamp: cutoff,
      disableDataCutoff: request.disable_data_cutoff ?? false,
    },
  };
}

/**
 * Every known field with what is wanted of it, so that one that turns up later is told from one that was left
 * out. No list means every field; a list means these fields, except that a list which only turns fields off
 * leaves the others on. What was obfuscated stays so until somebody says otherwise.
 */
function selectFields(
  known: KnownSchema,
  requested: NonNullable<BulkSchemaSettings['fields']>,
  invalid: (reason: string) => Error,
): FieldSettings[] {
  const current = new Map(known.current?.settings.fields.map((field) => [field.id, field]));
  const chosen = new Map(
    requested.map((field) => {
      const item = typeof field === 'string' ? { id: field } : field;
      return [item.id, item] as const;
    }),
  );
  const names = known.fields.map(({ name }) => name);
  const ids = names.length > 0 ? names : [...new Set([...current.keys(), ...chosen.keys()])];
  const all = new Set(ids);
  for (const id of chosen.keys()) if (!all.has(id)) throw invalid(`${id} is no field of this schema`);
  const unlisted = ![...chosen.values()].some(({ enabled }) => enabled ?? true);
  return ids.map((id) => {
    const choice = chosen.get(id);
    const before = current.get(id);
    return {
      id,
      enabled: choice === undefined ? unlisted : (choice.enabled ?? true),
      obfuscated: choice?.obfuscated ?? choice?.obfuscate ?? before?.obfuscated ?? false,
      userOutputName: choice?.user_output_name ?? before?.userOutputName ?? '',
    };
  });
}

/** It is asked for each column of a table. */
const indexes = new WeakMap<readonly FieldSettings[], Map<string, FieldSettings>>();

/** Whether a column of the source is to be read. */
export function isFieldEnabled(
  sync: Pick<BulkSync, 'addNewFields'>,
  settings: SchemaSettings,
  column: string,
): boolean {
  const byId = indexes.get(settings.fields) ?? new Map(settings.fields.map((field) => [field.id, field]));
  indexes.set(settings.fields, byId);
  const known = byId.get(column);
  if (known !== undefined || settings.fields.length === 0) return known?.enabled ?? true;
  return isDiscovered(sync.addNewFields, settings.trackingField !== '');
}

/** Whether a new object, or a new field of one, is taken. Incremental: it has a tracking field. */
export function isDiscovered(mode: BulkSync['addNewObjects'], incremental: boolean): boolean {
  return mode === 'all' || mode === (incremental ? 'onlyIncremental' : 'onlyNonIncremental');
}
