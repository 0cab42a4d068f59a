import { cachedSchemas } from '../connections/index.ts';
import type { Field } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { BulkSchema, BulkSchemaItem, PatchBulkSchemasRequest } from '../schema/bulk-schema.ts';
import type { BulkSchemaSettings } from '../schema/bulk-sync.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { presentFilters } from './filters.ts';
import { columnNames, outputNames } from './output-names.ts';
import { isFieldEnabled, selectSchema } from './schema-settings.ts';
import { saveSchemas, selectedSchemas } from './selected-schemas.ts';
import { getBulkSync } from './store.ts';

export async function listBulkSchemas(
  db: Database,
  organizationId: string,
  syncId: string,
  enabled: boolean | undefined,
): Promise<BulkSchemaItem[]> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const all = await selectedSchemas(db, sync.id);
  const names = outputNames(sync, all);
  return all
    .filter((schema) => enabled === undefined || schema.enabled === enabled)
    .map((schema) => presentItem(schema, names.get(schema.id)?.name ?? ''));
}

export async function getBulkSchema(
  db: Database,
  organizationId: string,
  syncId: string,
  id: string,
): Promise<BulkSchema> {
  const sync = await getBulkSync(db, organizationId, syncId);
  return presentOne(db, sync, id);
}

/** Replaces everything set of one schema. */
export async function updateBulkSchema(
  db: Database,
  organizationId: string,
  syncId: string,
  id: string,
  request: BulkSchemaSettings,
): Promise<BulkSchema> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const current = await findSchema(db, sync, id);
  const known = { id, fields: await cachedFields(db, sync, id), current };
  await saveSchemas(db, sync.id, [selectSchema(known, request)]);
  return presentOne(db, sync, id);
}

/** Changes what is said of the listed schemas; what is not said, but for `fields`, stays. */
export async function patchBulkSchemas(
  db: Database,
  organizationId: string,
  syncId: string,
  request: PatchBulkSchemasRequest,
): Promise<BulkSchema[]> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const changed: SelectedSchema[] = [];
  // Said twice, the last word counts.
  const byId = new Map((request.schemas ?? []).map((schema) => [schema.id, schema]));
  for (const { id, ...change } of byId.values()) {
    const current = await findSchema(db, sync, id);
    const known = { id, fields: await cachedFields(db, sync, id), current };
    const { settings } = current;
    changed.push(
      selectSchema(known, {
        enabled: current.enabled,
        filters: presentFilters(settings.filters),
        tracking_field: settings.trackingField,
        partition_key: settings.partitionKey,
        user_output_name: settings.userOutputName,
        data_cutoff_timestamp: settings.dataCutoffTimestamp,
        disable_data_cutoff: settings.disableDataCutoff,
        ...change,
      }),
    );
  }
  await saveSchemas(db, sync.id, changed);
  return Promise.all(changed.map(({ id }) => presentOne(db, sync, id)));
}

async function findSchema(db: Database, sync: BulkSync, id: string): Promise<SelectedSchema> {
  const schema = (await selectedSchemas(db, sync.id)).find((one) => one.id === id);
  if (schema === undefined) throw notFound('schema', id);
  return schema;
}

async function cachedFields(db: Database, sync: BulkSync, id: string): Promise<Field[]> {
  const schema = (await cachedSchemas(db, sync.sourceConnectionId)).find((one) => one.id === id);
  return schema?.fields ?? [];
}

async function presentOne(db: Database, sync: BulkSync, id: string): Promise<BulkSchema> {
  const all = await selectedSchemas(db, sync.id);
  const schema = all.find((one) => one.id === id);
  if (schema === undefined) throw notFound('schema', id);
  const { settings } = schema;
  const cached = (await cachedFields(db, sync, id)).map(({ name }) => name);
  const ids = cached.length > 0 ? cached : settings.fields.map((field) => field.id);
  const names = columnNames(ids, settings.fields, sync.normalizeNames);
  return {
    ...presentItem(schema, outputNames(sync, all).get(id)?.name ?? ''),
    fields: ids.map((fieldId, index) => {
      const field = settings.fields.find((one) => one.id === fieldId);
      return {
        id: fieldId,
        enabled: isFieldEnabled(sync, settings, fieldId),
        obfuscated: field?.obfuscated ?? false,
        output_name: names[index] ?? fieldId,
        user_output_name: field?.userOutputName ?? '',
      };
    }),
    filters: presentFilters(settings.filters),
  };
}

function presentItem({ id, enabled, settings }: SelectedSchema, outputName: string): BulkSchemaItem {
  return {
    id,
    enabled,
    output_name: outputName,
    user_output_name: settings.userOutputName,
    tracking_field: settings.trackingField,
    partition_key: settings.partitionKey,
    data_cutoff_timestamp: settings.dataCutoffTimestamp,
    disable_data_cutoff: settings.disableDataCutoff,
  };
}
