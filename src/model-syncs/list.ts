import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import { decodePageToken, encodePageToken } from '../schema/page-token.ts';
import type { ModelSync } from './model-sync.ts';
import { fromRow, selectModelSyncs } from './store.ts';

export interface ModelSyncFilter {
  active?: boolean;
  mode?: string;
  target_connection_id?: string;
}

/** All that match, newest change first. */
export async function listModelSyncs(
  db: Database,
  organizationId: string,
  filter: ModelSyncFilter,
): Promise<ModelSync[]> {
  return (await select(db, organizationId, filter).execute()).map(fromRow);
}

/** One page of them. */
export async function pageModelSyncs(
  db: Database,
  organizationId: string,
  filter: ModelSyncFilter,
  page: { page_token?: string; limit: number },
): Promise<{ syncs: ModelSync[]; nextPageToken?: string }> {
  const { limit } = page;
  const [updatedAt, id] = page.page_token ? decodePageToken(page.page_token, isTimestamp, isUuid) : [];
  const rows = await select(db, organizationId, filter)
    .$if(updatedAt !== undefined, (query) =>
      query.where(sql<boolean>`(updated_at < ${updatedAt}::timestamptz
        or (updated_at = ${updatedAt}::timestamptz and id > ${id}::uuid))`),
    )
    .limit(limit + 1)
    .execute();
  const syncs = rows.slice(0, limit).map(fromRow);
  const last = syncs.at(-1);
  return rows.length > limit && last !== undefined
    ? { syncs, nextPageToken: encodePageToken([last.updatedAt, last.id]) }
    : { syncs };
}

function select(db: Database, organizationId: string, filter: ModelSyncFilter) {
  const { active, mode, target_connection_id: target } = filter;
  return selectModelSyncs(db, organizationId)
    .$if(active !== undefined, (query) => query.where('active', '=', active ?? false))
    .$if(mode !== undefined, (query) => query.where('mode', '=', mode ?? ''))
    .$if(target !== undefined, (query) =>
      target !== undefined && isUuid(target)
        ? query.where('target_connection_id', '=', target)
        : query.where(sql<boolean>`false`),
    )
    .orderBy('updated_at', 'desc')
    .orderBy('id');
}
