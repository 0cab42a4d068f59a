import { type BulkTarget, checkStranger, type LoadPlan, type Standing } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkSync } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';
import type { Position } from './position.ts';

export interface Ownership {
  /** The position that was committed with the rows that are there. */
  stored: JsonObject | undefined;
  /** What becomes of a table that is not this sync's. Undefined: it is, or there is none. */
  taking?: NonNullable<LoadPlan['strangers']>;
}

/**
 * Whose the table in the destination is: this sync's, or that of a deleted sync of the organization, whose tables the
 * next one goes on with. Everything else is a stranger's: what Tidemark did not make, what an owner has recreated, what
 * another organization, server or connection of this one writes.
 *
 * @throws not_ours unless the sync says what becomes of it; unprocessable when the rows there are those of another sync
 *   with the same destination: each would undo the other.
 */
export async function ownershipOf(
  db: Database,
  sync: BulkSync,
  standing: Standing | undefined,
  { origin, ...target }: BulkTarget & { origin?: string | undefined },
): Promise<Ownership> {
  const stored = standing?.position;
  // The load says that it would replace its own source, and nothing is to be set against that.
  if (stored === undefined && origin !== undefined && standing?.origin === origin) return { stored };
  const stranger = stored === undefined ? standing?.stranger : await otherOwner(db, sync, stored, target);
  if (stranger === undefined) return { stored };
  const { strangers } = destinationSettings(sync);
  checkStranger(target, strangers === undefined ? {} : { strangers }, stranger);
  return strangers === undefined ? { stored } : { stored, taking: strangers };
}

async function otherOwner(
  db: Database,
  sync: BulkSync,
  stored: JsonObject,
  { schema, name }: BulkTarget,
): Promise<string | undefined> {
  const owner = (stored as Partial<Position>).sync;
  if (owner === undefined || owner === sync.id) return undefined;
  const deleted = await db
    .selectFrom('deleted_bulk_syncs')
    .select('id')
    .where('organization_id', '=', sync.organizationId)
    .where('id', '=', owner)
    .executeTakeFirst();
  if (deleted !== undefined) return undefined;
  const other = await db
    .selectFrom('bulk_syncs')
    .select(['name', 'destination_connection_id'])
    .where('organization_id', '=', sync.organizationId)
    .where('id', '=', owner)
    .executeTakeFirst();
  // Of another organization not even the name of a sync may be seen.
  if (other === undefined) return 'a bulk sync that is not known here writes it';
  if (other.destination_connection_id !== sync.destinationConnectionId) {
    return `the bulk sync ${other.name} has written it, through another connection`;
  }
  throw new TidemarkError('unprocessable', {
    reason: `${schema}.${name} is written by the bulk sync ${other.name}: give this one another schema or a table prefix`,
  });
}
