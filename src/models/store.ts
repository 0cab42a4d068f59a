import { sql } from 'kysely';
import type { Field } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import type { ModelRequest } from '../schema/model.ts';
import { draftModel } from './draft.ts';
import type { SourceDependencies } from './layer.ts';
import type { Model, ModelDraft } from './model.ts';

const columns = [
  'models.id',
  'models.organization_id',
  'models.connection_id',
  'connections.type as connection_type',
  'models.name',
  'models.configuration',
  'models.identifier',
  'models.fields',
  'models.definition',
  'models.version',
  'models.created_by',
  'models.updated_by',
  'models.created_at',
  'models.updated_at',
] as const;

export async function createModel(
  deps: SourceDependencies,
  organizationId: string,
  actor: Actor,
  request: ModelRequest,
): Promise<Model> {
  const draft = await draftModel(deps, organizationId, request);
  return getModel(deps.db, organizationId, await insertModel(deps.db, actor, draft));
}

/** @returns its id. */
export async function insertModel(db: Database, actor: Actor, draft: ModelDraft): Promise<string> {
  const by = JSON.stringify(actor);
  const { id } = await db
    .insertInto('models')
    .values({ organization_id: draft.organizationId, ...toRow(draft), created_by: by, updated_by: by })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Makes a change of a model in a transaction, or refuses it: the rooms above know who uses its fields. */
export type ChangeModel = (
  tx: Transaction,
  organizationId: string,
  id: string,
  force: boolean,
  change: () => Promise<unknown>,
) => Promise<Model>;

/** Replaces the whole model: what the request leaves out is cleared. Its fields are read from the source again. */
export async function updateModel(
  deps: SourceDependencies & { changeModel: ChangeModel },
  organizationId: string,
  actor: Actor,
  id: string,
  request: ModelRequest,
  force: boolean,
): Promise<Model> {
  const { id: known } = await getModel(deps.db, organizationId, id);
  const draft = await draftModel(deps, organizationId, request, { id: known });
  return deps.db
    .transaction()
    .execute((tx) =>
      deps.changeModel(tx, organizationId, known, force, () => replaceModel(tx, actor, known, draft)),
    );
}

/** @returns its id. @throws not_found */
export async function replaceModel(
  db: Database,
  actor: Actor,
  id: string,
  draft: ModelDraft,
): Promise<string> {
  const { numUpdatedRows } = await db
    .updateTable('models')
    .set((where) => ({
      ...toRow(draft),
      version: where('version', '+', 1),
      updated_by: JSON.stringify(actor),
      updated_at: where.fn<string>('now'),
    }))
    .where('organization_id', '=', draft.organizationId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw notFound('model', id);
  return id;
}

/** @throws not_found for an id of another organization, too. */
export async function getModel(db: Database, organizationId: string, id: string): Promise<Model> {
  const row = isUuid(id)
    ? await select(db, organizationId).where('models.id', '=', id).executeTakeFirst()
    : undefined;
  if (row === undefined) throw notFound('model', id);
  return fromRow(row);
}

/** In the order of their ids; those that are not there are left out. */
export async function findModels(
  db: Database,
  organizationId: string,
  ids: readonly string[],
): Promise<Model[]> {
  const known = ids.filter(isUuid);
  if (known.length === 0) return [];
  const rows = await select(db, organizationId).where('models.id', 'in', known).execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  return known.flatMap((id) => byId.get(id) ?? []).map(fromRow);
}

/** The model that is enriched under this id, if there is one. */
export async function findEnrichedModel(
  db: Database,
  organizationId: string,
  enricherId: string,
): Promise<Model | undefined> {
  const row = await select(db, organizationId)
    .where(sql<string>`models.definition -> 'enricher' ->> 'id'`, '=', enricherId)
    .executeTakeFirst();
  return row && fromRow(row);
}

/** Newest change first. */
export async function listModels(db: Database, organizationId: string): Promise<Model[]> {
  const rows = await select(db, organizationId)
    .orderBy('models.updated_at', 'desc')
    .orderBy('models.id')
    .execute();
  return rows.map(fromRow);
}

/** Allowed while syncs use the model: their next execution fails and says why. */
export async function deleteModel(db: Database, organizationId: string, id: string): Promise<void> {
  await getModel(db, organizationId, id);
  await db.deleteFrom('models').where('organization_id', '=', organizationId).where('id', '=', id).execute();
}

function select(db: Database, organizationId: string) {
  return db
    .selectFrom('models')
    .innerJoin('connections', 'connections.id', 'models.connection_id')
    .select(columns)
    .where('models.organization_id', '=', organizationId);
}

function toRow(draft: ModelDraft) {
  return {
    connection_id: draft.connectionId,
    name: draft.name,
    configuration: JSON.stringify(draft.configuration),
    identifier: draft.identifier,
    fields: JSON.stringify(draft.fields),
    definition: JSON.stringify({
      labels: draft.labels,
      trackingColumns: draft.trackingColumns,
      additionalFields: draft.additionalFields,
      relations: draft.relations,
      enricher: draft.enricher,
    }),
  };
}

type Row = Awaited<ReturnType<ReturnType<typeof select>['executeTakeFirstOrThrow']>>;

function fromRow(row: Row): Model {
  // The casts undo what toRow did: these columns hold what this file wrote.
  const definition = row.definition as unknown as Pick<Model, 'labels' | 'trackingColumns'> &
    Partial<Pick<Model, 'additionalFields' | 'relations' | 'enricher'>>;
  return {
    id: row.id,
    organizationId: row.organization_id,
    connectionId: row.connection_id,
    connectionType: row.connection_type,
    name: row.name,
    configuration: row.configuration as JsonObject,
    identifier: row.identifier,
    fields: row.fields as unknown as Field[],
    additionalFields: definition.additionalFields ?? [],
    labels: definition.labels,
    trackingColumns: definition.trackingColumns,
    // Models that were stored before there were relations or enrichers have none.
    relations: definition.relations ?? [],
    enricher: definition.enricher ?? null,
    version: row.version,
    createdBy: row.created_by as unknown as Actor | null,
    updatedBy: row.updated_by as unknown as Actor | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
