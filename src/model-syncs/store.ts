import type { ModelSyncMode } from '../connectors/index.ts';
import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import type { ScheduleSettings } from '../schedules/index.ts';
import type { ModelSync, ModelSyncDraft } from './model-sync.ts';

const columns = [
  'id',
  'organization_id',
  'name',
  'mode',
  'active',
  'model_ids',
  'target_connection_id',
  'target_object',
  'definition',
  'encryption_passphrase',
  'created_by',
  'updated_by',
  'created_at',
  'updated_at',
] as const;

export async function insertModelSync(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  draft: ModelSyncDraft,
): Promise<ModelSync> {
  const by = JSON.stringify(actor);
  const row = await tx
    .insertInto('model_syncs')
    .values({ organization_id: organizationId, ...toRow(draft), created_by: by, updated_by: by })
    .returning(columns)
    .executeTakeFirstOrThrow();
  return fromRow({ ...row, schedule: draft.schedule });
}

/** A running execution keeps to the definition it started with. */
export async function replaceModelSync(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  id: string,
  draft: ModelSyncDraft,
): Promise<ModelSync> {
  const row = await tx
    .updateTable('model_syncs')
    .set((where) => ({
      ...toRow(draft),
      updated_by: JSON.stringify(actor),
      updated_at: where.fn<string>('now'),
    }))
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst();
  if (row === undefined) throw notFound('model sync', id);
  return fromRow({ ...row, schedule: draft.schedule });
}

/** @throws not_found for an id of another organization, too. */
export async function getModelSync(db: Database, organizationId: string, id: string): Promise<ModelSync> {
  const row = isUuid(id)
    ? await selectModelSyncs(db, organizationId).where('id', '=', id).executeTakeFirst()
    : undefined;
  if (row === undefined) throw notFound('model sync', id);
  return fromRow(row);
}

export async function setActive(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  id: string,
  active: boolean,
): Promise<void> {
  await tx
    .updateTable('model_syncs')
    .set((where) => ({ active, updated_by: JSON.stringify(actor), updated_at: where.fn<string>('now') }))
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .execute();
}

export function selectModelSyncs(db: Database, organizationId: string) {
  return db
    .selectFrom('model_syncs')
    .select(columns)
    .select((where) =>
      where
        .selectFrom('schedules')
        .select('settings')
        .whereRef('sync_id', '=', 'model_syncs.id')
        .where('position', '=', 0)
        .as('schedule'),
    )
    .where('organization_id', '=', organizationId);
}

/** The members of a sync that have no column of their own. */
type Stored = Pick<
  ModelSync,
  'identity' | 'fields' | 'overrides' | 'filters' | 'filterLogic' | 'syncAllRecords' | 'skipInitialBackfill'
> &
  Partial<
    Pick<ModelSync, 'onlyEnrichUpdates' | 'maxDeletes' | 'targetFiltering' | 'sentLogic' | 'wording'>
  > & {
    configuration: ModelSync['target']['configuration'];
    encryptionSalt: string | null;
  };

function toRow(draft: ModelSyncDraft) {
  const stored: Stored = {
    identity: draft.identity,
    fields: draft.fields,
    overrides: draft.overrides,
    encryptionSalt: draft.encryption?.salt ?? null,
    filters: draft.filters,
    filterLogic: draft.filterLogic,
    ...(draft.sentLogic === undefined ? {} : { sentLogic: draft.sentLogic }),
    targetFiltering: draft.targetFiltering,
    configuration: draft.target.configuration,
    syncAllRecords: draft.syncAllRecords,
    skipInitialBackfill: draft.skipInitialBackfill,
    onlyEnrichUpdates: draft.onlyEnrichUpdates,
    maxDeletes: draft.maxDeletes,
    wording: draft.wording,
  };
  return {
    name: draft.name,
    mode: draft.modeName,
    active: draft.active,
    model_ids: draft.modelIds,
    target_connection_id: draft.target.connectionId,
    target_object: draft.target.object,
    definition: JSON.stringify(stored),
    encryption_passphrase: draft.encryption?.passphrase ?? null,
  };
}

type Row = Omit<Selected, 'schedule'> & { schedule: unknown };
type Selected = Awaited<ReturnType<ReturnType<typeof selectModelSyncs>['executeTakeFirstOrThrow']>>;

export function fromRow(row: Row): ModelSync {
  const { encryption_passphrase: passphrase } = row;
  // The casts undo what toRow did: these columns hold what this file wrote.
  // Syncs that were stored before there were filters, overrides or encryption have none.
  const {
    configuration,
    filters = [],
    filterLogic = '',
    targetFiltering = { filters: [], filterLogic: '' },
    overrides = [],
    encryptionSalt: salt = null,
    onlyEnrichUpdates = false,
    maxDeletes = null,
    wording = null,
    ...stored
  } = row.definition as unknown as Stored;
  return {
    ...stored,
    filters,
    targetFiltering,
    overrides,
    encryption: salt === null || passphrase === null ? null : { salt, passphrase },
    onlyEnrichUpdates,
    maxDeletes,
    wording,
    filterLogic,
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    mode: row.mode === 'snapshot' ? 'replace' : (row.mode as ModelSyncMode),
    modeName: row.mode,
    active: row.active,
    schedule: row.schedule as ScheduleSettings,
    modelId: row.model_ids[0] ?? '',
    modelIds: row.model_ids,
    target: { connectionId: row.target_connection_id, object: row.target_object, configuration },
    createdBy: row.created_by as unknown as Actor | null,
    updatedBy: row.updated_by as unknown as Actor | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
