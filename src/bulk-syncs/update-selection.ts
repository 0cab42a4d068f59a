import { ensureSchemas, type OpenDependencies } from '../connections/index.ts';
import { TidemarkError } from '../errors.ts';
import type { BulkSyncRequest } from '../schema/bulk-sync.ts';
import type { BulkSync, SelectedSchema } from './bulk-sync.ts';
import { changeSchema, checkOutputNames, selectSchema } from './schema-settings.ts';
import { namesOf, openView } from './schemas.ts';
import { selectedSchemas } from './selected-schemas.ts';

/**
 * What an update of a sync makes of its schemas: those that it lists are changed as it says, the others are turned off.
 * A list that is left out, or empty, changes nothing: clients that do not know it send none.
 *
 * @param sourceConnectionId that the update asks for. @throws invalid_field
 */
export async function updateSelection(
  deps: OpenDependencies,
  sync: BulkSync,
  sourceConnectionId: string,
  request: Pick<BulkSyncRequest, 'schemas'>,
): Promise<SelectedSchema[]> {
  const requested = request.schemas ?? [];
  if (requested.length === 0) return [];
  const { organizationId } = sync;
  const found = await ensureSchemas(deps, organizationId, sourceConnectionId);
  const view = await openView(deps.db, organizationId, sync.id);
  const before = new Map((await selectedSchemas(deps.db, sync.id)).map((schema) => [schema.id, schema]));
  const after = new Map<string, SelectedSchema>();
  const fieldsOf = new Map(found.map((schema) => [schema.id, schema.fields]));
  for (const [id, schema] of before) after.set(id, { ...schema, enabled: false });
  for (const item of requested) {
    // Listed is wanted, unless it is said otherwise.
    const { id, ...said } = typeof item === 'string' ? { id: item } : item;
    const change = { ...said, enabled: said.enabled ?? true };
    const current = before.get(id);
    const fields = fieldsOf.get(id);
    if (current !== undefined) {
      const known = { id, fields: fields ?? [], current };
      // A list of schemas by their ids says nothing about fields.
      const kept = typeof item === 'string' ? { ...current, enabled: true } : undefined;
      after.set(id, kept ?? changeSchema(known, change, namesOf(view, current)));
    } else if (fields !== undefined) {
      checkOutputNames(id, change, { schema: undefined, field: () => undefined });
      after.set(id, selectSchema({ id, fields }, change));
    } else {
      const reason = `${id} is no schema of connection ${sourceConnectionId}`;
      throw new TidemarkError('invalid_field', { field: 'schemas', reason });
    }
  }
  return [...after.values()];
}
