import {
  cachedSchemas,
  type OpenDependencies,
  schemaCacheStatus,
  startSchemaRefresh,
} from '../connections/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import type { Run } from '../executions/index.ts';
import type { BulkSync } from './bulk-sync.ts';
import { insertSchemaExecutions } from './schema-executions.ts';
import { isDiscovered, selectSchema } from './schema-settings.ts';
import { saveSchemas, selectedSchemas } from './selected-schemas.ts';

/**
 * Takes objects that turned up in the source since the sync was made, where the sync says so, into the sync and
 * into this execution. Those that were there and left out stay left out.
 *
 * @returns why the source could not be looked through, if so: what is known of it is synced all the same.
 */
export async function discoverObjects(
  deps: OpenDependencies,
  run: Run,
  sync: BulkSync,
): Promise<string | undefined> {
  const { id: executionId, organizationId, options } = run.execution;
  const isPart = Array.isArray(options.schemas) && options.discovers !== true;
  // A new object has no tracking field yet.
  if (!isDiscovered(sync.addNewObjects, false) || isPart) return undefined;
  await (await startSchemaRefresh(deps, organizationId, sync.sourceConnectionId)).done;
  const { error } = await schemaCacheStatus(deps.db, organizationId, sync.sourceConnectionId);
  const problem = error === null ? undefined : `New objects could not be looked for in the source: ${error}`;
  if (problem !== undefined) await run.console('error', problem);
  const cached = await cachedSchemas(deps.db, sync.sourceConnectionId);
  const selected = await selectedSchemas(deps.db, sync.id);
  const known = new Set([...(await knownSchemas(deps.db, sync.id)), ...selected.map(({ id }) => id)]);
  const added = cached
    .filter(({ id }) => !known.has(id))
    .map(({ id, fields }) => selectSchema({ id, fields }, {}));
  if (added.length === 0) return problem;
  await run.commit({}, async (tx) => {
    await saveSchemas(tx, sync.id, added);
    await saveKnownSchemas(tx, sync.id, [...known, ...added.map(({ id }) => id)]);
    await insertSchemaExecutions(tx, executionId, sync, [...selected, ...added], added);
  });
  for (const { id } of added) await run.console('info', 'New in the source: added to the sync', {}, id);
  return problem;
}

async function knownSchemas(db: Database, syncId: string): Promise<string[]> {
  const row = await db
    .selectFrom('bulk_syncs')
    .select('known_schemas')
    .where('id', '=', syncId)
    .executeTakeFirst();
  return row?.known_schemas ?? [];
}

/** The caller has made sure that the sync is the organization's. */
export async function saveKnownSchemas(
  tx: Transaction,
  syncId: string,
  ids: readonly string[],
): Promise<void> {
  await tx
    .updateTable('bulk_syncs')
    .set({ known_schemas: [...ids] })
    .where('id', '=', syncId)
    .execute();
}
