import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import { decodePageToken, encodePageToken } from '../schema/page-token.ts';
import type { BulkSync, BulkSyncDraft, BulkSyncMode, BulkSyncSettings } from './bulk-sync.ts';

const columns = [
  'id',
  'organization_id',
  'name',
  'mode',
  'active',
  'source_connection_id',
  'destination_connection_id',
  'definition',
  'created_by',
  'updated_by',
  'created_at',
  'updated_at',
] as const;

export async function insertBulkSync(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  draft: BulkSyncDraft,
): Promise<BulkSync> {
  const by = JSON.stringify(actor);
  const row = await tx
    .insertInto('bulk_syncs')
    .values({ organization_id: organizationId, ...toRow(draft), created_by: by, updated_by: by })
    .returning(columns)
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

export async function replaceBulkSync(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  id: string,
  draft: BulkSyncDraft,
): Promise<BulkSync> {
  const row = await tx
    .updateTable('bulk_syncs')
    .set((where) => ({
      ...toRow(draft),
      updated_by: JSON.stringify(actor),
      updated_at: where.fn<string>('now'),
    }))
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst();
  if (row === undefined) throw notFound('bulk sync', id);
  return fromRow(row);
}

/** @throws not_found for an id of another organization, too. */
export async function getBulkSync(db: Database, organizationId: string, id: string): Promise<BulkSync> {
  const row = isUuid(id)
    ? await selectBulkSyncs(db, organizationId).where('id', '=', id).executeTakeFirst()
    : undefined;
  if (row === undefined) throw notFound('bulk sync', id);
  return fromRow(row);
}

/** Newest change first. */
export async function listBulkSyncs(
  db: Database,
  organizationId: string,
  active: boolean | undefined,
): Promise<BulkSync[]> {
  let select = selectBulkSyncs(db, organizationId);
  if (active !== undefined) select = select.where('active', '=', active);
  const rows = await select.orderBy('updated_at', 'desc').orderBy('id').execute();
  return rows.map(fromRow);
}

/** One page of them, and the token of the next. @throws invalid_field for a token that no page gave out */
export async function pageOfBulkSyncs(
  db: Database,
  organizationId: string,
  page: { active?: boolean | undefined; limit: number; pageToken?: string | undefined },
): Promise<{ syncs: BulkSync[]; nextPageToken: string | undefined }> {
  const { limit } = page;
  let select = selectBulkSyncs(db, organizationId);
  if (page.active !== undefined) select = select.where('active', '=', page.active);
  if (page.pageToken) {
    const [updatedAt = '', id = ''] = decodePageToken(page.pageToken, isTimestamp, isUuid);
    select = select.where((where) =>
      where.or([
        where('updated_at', '<', updatedAt),
        where.and([where('updated_at', '=', updatedAt), where('id', '>', id)]),
      ]),
    );
  }
  const rows = await select
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
  const syncs = rows.slice(0, limit).map(fromRow);
  const last = syncs.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { syncs, nextPageToken: more ? encodePageToken([last.updatedAt, last.id]) : undefined };
}

/** Records who changes a sync, and keeps others from changing it until the transaction has ended. */
export async function touchBulkSync(
  tx: Transaction,
  organizationId: string,
  actor: Actor,
  id: string,
  change: { active?: boolean } = {},
): Promise<BulkSync> {
  const sync = await getBulkSync(tx, organizationId, id);
  const row = await tx
    .updateTable('bulk_syncs')
    .set((where) => ({ ...change, updated_by: JSON.stringify(actor), updated_at: where.fn<string>('now') }))
    .where('id', '=', sync.id)
    .returning(columns)
    .executeTakeFirst();
  if (row === undefined) throw notFound('bulk sync', id);
  return fromRow(row);
}

function selectBulkSyncs(db: Database, organizationId: string) {
  return db.selectFrom('bulk_syncs').select(columns).where('organization_id', '=', organizationId);
}

function toRow(draft: BulkSyncDraft) {
  const { name, mode, active, sourceConnectionId, destinationConnectionId, ...settings } = draft;
  return {
    name,
    mode,
    active,
    source_connection_id: sourceConnectionId,
    destination_connection_id: destinationConnectionId,
    definition: JSON.stringify(settings satisfies BulkSyncSettings),
  };
}

type Row = Awaited<ReturnType<ReturnType<typeof selectBulkSyncs>['executeTakeFirstOrThrow']>>;

function fromRow(row: Row): BulkSync {
  return {
    // The casts undo what toRow did: these columns hold what this file wrote.
    ...(row.definition as unknown as BulkSyncSettings),
    id: row.id,
    organizationId: row.organization_id,
    name: row.name,
    mode: row.mode as BulkSyncMode,
    active: row.active,
    sourceConnectionId: row.source_connection_id,
    destinationConnectionId: row.destination_connection_id,
    createdBy: row.created_by as unknown as Actor | null,
    updatedBy: row.updated_by as unknown as Actor | null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
