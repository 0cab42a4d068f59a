import { cachedSchemas } from '../connections/index.ts';
import type { Field } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { BulkSchema, BulkSchemaItem, PatchBulkSchemasRequest } from '../schema/bulk-schema.ts';
import type { BulkSchemaSettings } from '../schema/bulk-sync.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { presentFilters } from './filters.ts';
import { columnNames, outputNames } from './output-names.ts';
import {
  changeSchema,
  checkOutputNames,
  isFieldEnabled,
  type OutputNames,
  selectSchema,
} from './schema-settings.ts';
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
  const view = await openView(db, organizationId, syncId);
  return present(view, view.find(id));
}

/** Replaces everything set of one schema. */
export async function updateBulkSchema(
  db: Database,
  organizationId: string,
  syncId: string,
  id: string,
  request: BulkSchemaSettings,
): Promise<BulkSchema> {
  const view = await openView(db, organizationId, syncId);
  const known = { id, fields: view.fields(id), current: view.find(id) };
  checkOutputNames(id, request, namesOf(view, known.current));
  await saveOf(db, view.sync.id, [selectSchema(known, request)]);
  return getBulkSchema(db, organizationId, syncId, id);
}

/** Changes what is said of the listed schemas; what is not said, but for `fields`, stays. */
export async function patchBulkSchemas(
  db: Database,
  organizationId: string,
  syncId: string,
  request: PatchBulkSchemasRequest,
): Promise<BulkSchema[]> {
  const view = await openView(db, organizationId, syncId);
  // Said twice, the last word counts.
  const byId = new Map((request.schemas ?? []).map((schema) => [schema.id, schema]));
  const changed = [...byId.values()].map(({ id, ...change }) => {
    const current = view.find(id);
    return changeSchema({ id, fields: view.fields(id), current }, change, namesOf(view, current));
  });
  await saveOf(db, view.sync.id, changed);
  const after = await openView(db, organizationId, syncId);
  return changed.map(({ id }) => present(after, after.find(id)));
}

/** Not beside the deletion of the sync. @throws not_found */
async function saveOf(db: Database, syncId: string, schemas: readonly SelectedSchema[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const sync = await tx
      .selectFrom('bulk_syncs')
      .select('id')
      .where('id', '=', syncId)
      .forKeyShare()
      .executeTakeFirst();
    if (sync === undefined) throw notFound('bulk sync', syncId);
    await saveSchemas(tx, syncId, schemas);
  });
}

/** A sync's schemas beside what is cached of its source: read once, however many schemas are asked for. */
export interface View {
  sync: BulkSync;
  /** @throws not_found */
  find(id: string): SelectedSchema;
  fields(id: string): Field[];
  outputName(id: string): string;
}

export async function openView(db: Database, organizationId: string, syncId: string): Promise<View> {
  const sync = await getBulkSync(db, organizationId, syncId);
  const all = await selectedSchemas(db, sync.id);
  const byId = new Map(all.map((schema) => [schema.id, schema]));
  const cached = new Map((await cachedSchemas(db, sync.sourceConnectionId)).map((one) => [one.id, one]));
  const names = outputNames(sync, all);
  return {
    sync,
    find(id) {
      const schema = byId.get(id);
      if (schema === undefined) throw notFound('schema', id);
      return schema;
    },
    fields: (id) => cached.get(id)?.fields ?? [],
    outputName: (id) => names.get(id)?.name ?? '',
  };
}

/** What a request may send back. */
export function namesOf(view: View, schema: SelectedSchema): OutputNames {
  const { output_name, fields } = present(view, schema);
  const names = new Map(fields.map(({ id, output_name: name }) => [id, name]));
  return { schema: output_name, field: (id) => names.get(id) };
}

function present({ sync, fields, outputName }: View, schema: SelectedSchema): BulkSchema {
  const { id, settings } = schema;
  const cached = fields(id).map(({ name }) => name);
  const ids = cached.length > 0 ? cached : settings.fields.map((field) => field.id);
  // As an execution names them: those that it leaves out take no name from the others.
  const inOrder = Map.groupBy(ids, (field) => isFieldEnabled(sync, settings, field));
  const names = new Map(
    columnNames(
      [...(inOrder.get(true) ?? []), ...(inOrder.get(false) ?? [])],
      settings.fields,
      sync.normalizeNames,
      schema.columnNames,
    ).map(({ column, name }) => [column, name]),
  );
  const chosen = new Map(settings.fields.map((field) => [field.id, field]));
  return {
    ...presentItem(schema, outputName(id)),
    fields: ids.map((fieldId) => ({
      id: fieldId,
      enabled: isFieldEnabled(sync, settings, fieldId),
      obfuscated: chosen.get(fieldId)?.obfuscated ?? false,
      output_name: names.get(fieldId) ?? fieldId,
      user_output_name: chosen.get(fieldId)?.userOutputName ?? '',
    })),
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
