import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import type { SourceSchema } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { messageOf, notFound, TidemarkError } from '../errors.ts';
import { type OpenDependencies, withConnection } from './open.ts';
import { getConnection } from './store.ts';

/** A refresh that has not finished after this long belonged to a process that is gone. */
const abandonedAfter = '5 minutes';
/** How long (ms) a request waits for a refresh that is under way, and how often it looks. */
const refreshPatience = 10_000;
const refreshLook = 50;

export interface SchemaCacheStatus {
  refreshing: boolean;
  startedAt: string | null;
  finishedAt: string | null;
  error: string | null;
}

export async function schemaCacheStatus(
  db: Database,
  organizationId: string,
  connectionId: string,
): Promise<SchemaCacheStatus> {
  await getConnection(db, organizationId, connectionId);
  const row = await db
    .selectFrom('connections')
    .select([
      'schemas_refresh_started_at as startedAt',
      'schemas_refresh_finished_at as finishedAt',
      'schemas_refresh_error as error',
      refreshing.as('refreshing'),
    ])
    .where('organization_id', '=', organizationId)
    .where('id', '=', connectionId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('connection', connectionId);
  return row;
}

const refreshing = sql<boolean>`coalesce(
  schemas_refresh_started_at > coalesce(schemas_refresh_finished_at, '-infinity')
  and schemas_refresh_started_at > now() - ${sql.lit(abandonedAfter)}::interval, false)`;

/**
 * Starts a refresh and returns at once; `done` settles when the cache is fresh, and never rejects. One that is
 * under way already is joined rather than repeated.
 */
export async function startSchemaRefresh(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
): Promise<{ done: Promise<void> }> {
  const row = await deps.db
    .updateTable('connections')
    .set({ schemas_refresh_started_at: sql<string>`clock_timestamp()` })
    .where('organization_id', '=', organizationId)
    .where('id', '=', connectionId)
    .where(sql<boolean>`not ${refreshing}`)
    .returning('id')
    .executeTakeFirst();
  const isOurs = row !== undefined;
  if (isOurs && deps.later === undefined) return { done: refresh(deps, organizationId, connectionId) };
  if (isOurs) deps.later?.(organizationId, refreshTask, { organizationId, connectionId });
  // Somebody else's: what it finds is what was asked for.
  return { done: untilRefreshed(deps.db, organizationId, connectionId).catch(() => {}) };
}

/** The task of a process that reads a catalogue. */
export const refreshTask = 'refresh-schemas';

export interface RefreshTaskInput {
  organizationId: string;
  connectionId: string;
}

export function refreshTaskOf(deps: OpenDependencies) {
  return ({ organizationId, connectionId }: RefreshTaskInput) => refresh(deps, organizationId, connectionId);
}

/** Says of a refresh whose process died that it has failed. */
export async function refreshDied(db: Database, { connectionId }: RefreshTaskInput, reason: string) {
  await endRefresh(db, connectionId, reason);
}

async function refresh(deps: OpenDependencies, organizationId: string, connectionId: string): Promise<void> {
  let error: string | null = null;
  try {
    const schemas = await withConnection(deps, organizationId, connectionId, async ({ catalogue }) =>
      catalogue === undefined ? [] : catalogue.schemas(),
    );
    await replaceSchemas(deps.db, connectionId, schemas);
  } catch (cause) {
    error = messageOf(cause);
  }
  await endRefresh(deps.db, connectionId, error);
}

async function endRefresh(db: Database, connectionId: string, error: string | null): Promise<void> {
  await db
    .updateTable('connections')
    .set({
      schemas_refresh_finished_at: sql<string>`clock_timestamp()`,
      schemas_refresh_error: error,
      status: error === null ? 'healthy' : 'error',
      status_error: error,
    })
    .where('id', '=', connectionId)
    .execute()
    // The connection, or the database, is gone: whoever asks for the status finds out.
    .catch(() => {});
}

async function replaceSchemas(db: Database, connectionId: string, schemas: SourceSchema[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.deleteFrom('connection_schemas').where('connection_id', '=', connectionId).execute();
    const rows = schemas.map(({ id, name, fields }, position) => ({ id, name, position, fields }));
    // One parameter, however many tables: a statement takes 65,535 at most.
    await sql`
      insert into connection_schemas (connection_id, id, name, position, fields)
      select ${connectionId}::uuid, id, name, position, fields
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (id text, name text, position int, fields jsonb)
    `.execute(tx);
  });
}

/** As of the last refresh, in the source's order, with the keys that were set for them. */
export async function cachedSchemas(db: Database, connectionId: string): Promise<SourceSchema[]> {
  const rows = await selectSchemas(db, connectionId).orderBy('position').execute();
  return rows.map(toSchema);
}

/**
 * One of them. The first refresh of a connection is waited for: until then no schema is known, which is not the same as
 * that there is none.
 *
 * @throws not_found; refresh_in_progress when the first refresh takes too long for a request
 */
export async function cachedSchema(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
  schemaId: string,
): Promise<SourceSchema> {
  const { finishedAt } = await schemaCacheStatus(deps.db, organizationId, connectionId);
  if (finishedAt === null) {
    await untilRefreshed(deps.db, organizationId, connectionId);
    // One that began with a process that is gone never finished.
    const { finishedAt: now } = await schemaCacheStatus(deps.db, organizationId, connectionId);
    if (now === null) await refreshAndWait(deps, organizationId, connectionId);
  }
  const row = await selectSchemas(deps.db, connectionId)
    .where('connection_schemas.id', '=', schemaId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('schema', schemaId);
  return toSchema(row);
}

function selectSchemas(db: Database, connectionId: string) {
  return db
    .selectFrom('connection_schemas')
    .leftJoin('connection_schema_keys as key', (join) =>
      join
        .onRef('key.connection_id', '=', 'connection_schemas.connection_id')
        .onRef('key.schema_id', '=', 'connection_schemas.id'),
    )
    .select([
      'connection_schemas.id',
      'connection_schemas.name',
      'connection_schemas.fields',
      'key.fields as key',
    ])
    .where('connection_schemas.connection_id', '=', connectionId);
}

function toSchema({
  id,
  name,
  fields,
  key,
}: {
  id: string;
  name: string;
  fields: unknown;
  key: string[] | null;
}) {
  const own = fields as SourceSchema['fields'];
  if (key === null) return { id, name, fields: own };
  return { id, name, fields: own.map((field) => ({ ...field, primaryKey: key.includes(field.name) })) };
}

/**
 * The cached schemas of a source, read from it first if they never were. A refresh that somebody else has
 * under way, such as the one that creating a connection starts, is waited for.
 *
 * @throws refresh_in_progress when that takes too long for a request; no_schemas when there are none.
 */
export async function ensureSchemas(
  deps: OpenDependencies,
  organizationId: string,
  connectionId: string,
): Promise<SourceSchema[]> {
  const before = await cachedSchemas(deps.db, connectionId);
  if (before.length > 0) return before;
  await untilRefreshed(deps.db, organizationId, connectionId);
  const meanwhile = await cachedSchemas(deps.db, connectionId);
  if (meanwhile.length > 0) return meanwhile;
  await refreshAndWait(deps, organizationId, connectionId);
  const schemas = await cachedSchemas(deps.db, connectionId);
  if (schemas.length === 0) throw new TidemarkError('no_schemas', { connection_id: connectionId });
  return schemas;
}

async function refreshAndWait(deps: OpenDependencies, organizationId: string, connectionId: string) {
  await (await startSchemaRefresh(deps, organizationId, connectionId)).done;
  const { refreshing } = await schemaCacheStatus(deps.db, organizationId, connectionId);
  if (refreshing) throw new TidemarkError('refresh_in_progress', { connection_id: connectionId });
}

async function untilRefreshed(db: Database, organizationId: string, connectionId: string): Promise<void> {
  for (const deadline = Date.now() + refreshPatience; Date.now() < deadline; await pause(refreshLook)) {
    if (!(await schemaCacheStatus(db, organizationId, connectionId)).refreshing) return;
  }
  throw new TidemarkError('refresh_in_progress', { connection_id: connectionId });
}
