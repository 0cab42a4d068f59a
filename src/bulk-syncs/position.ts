import { createHash } from 'node:crypto';
import type { BulkTable, BulkTarget } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';
import { cutoffOf } from './row-filter.ts';

/**
 * Up to where a table's rows have been read, and how. Kept in the destination with the rows, so that it can
 * never be ahead of them, whatever is restored or dropped there.
 */
export interface Position {
  /** Kept for a table without a tracking field, too: it tells whose rows these are. */
  sync: string;
  /** Source columns that hold digests there. Kept always, too. */
  obfuscated: string[];
  source: string;
  schema: string;
  /** Tracking field, and its greatest value when the last read began. */
  field: string;
  value: string;
  /** Digest of what decides which rows are read and how their values look. */
  shape: string;
  /** Source columns that have been read. */
  columns: string[];
}

export type Reader = Pick<
  BulkSync,
  'id' | 'sourceConnectionId' | 'sourceConfiguration' | 'dataCutoffTimestamp' | 'destinationConfiguration'
>;

/** @param value the bound of the read; undefined: the next one is a full one. */
export function positionOf(
  sync: Reader,
  settings: SchemaSettings,
  table: BulkTable,
  value: string | undefined,
): JsonObject {
  const obfuscated = obfuscatedOf(table);
  if (settings.trackingField === '' || value === undefined) return { sync: sync.id, obfuscated };
  const position: Position = {
    sync: sync.id,
    obfuscated,
    source: sync.sourceConnectionId,
    schema: table.schemaId,
    field: settings.trackingField,
    value,
    shape: shapeOf(sync, settings, table),
    columns: table.columns.map(({ name }) => name),
  };
  return { ...position };
}

/** Where to go on from, or in words why everything has to be read. */
export function resumeFrom(
  sync: Reader,
  settings: SchemaSettings,
  table: BulkTable,
  stored: JsonObject | undefined,
): { from: string } | { full: string } {
  if (settings.trackingField === '') return { full: 'it has no tracking field' };
  // A position in plain text would stand beside the digests.
  if (obfuscatedOf(table).includes(settings.trackingField))
    return { full: 'its tracking field is obfuscated' };
  // A row that stops passing a filter is not read any more, and would stay as it was.
  if (settings.filters.length > 0) return { full: 'rows may have stopped passing its filters' };
  if (stored === undefined) return { full: 'it is not in the destination yet' };
  const position = stored as Partial<Position>;
  if (position.value === undefined) return { full: 'no position of an earlier read is kept with its rows' };
  if (position.sync !== sync.id || position.source !== sync.sourceConnectionId) {
    return { full: 'the rows there came from another sync or connection' };
  }
  if (position.schema !== table.schemaId) return { full: 'the rows there came from another schema' };
  if (position.field !== settings.trackingField) return { full: 'its tracking field changed' };
  if (position.shape !== shapeOf(sync, settings, table)) {
    return { full: 'its key, filters, cutoff or obfuscated fields changed' };
  }
  const added = table.columns.filter(({ name }) => !position.columns?.includes(name));
  // A new column may have been filled in rows whose tracking field did not move.
  if (added.length > 0) return { full: `fields were added: ${added.map(({ name }) => name).join(', ')}` };
  return { from: position.value };
}

/** @throws unprocessable when the rows there are those of another sync that still exists: each would undo the other. */
export async function checkOwner(
  db: Database,
  sync: BulkSync,
  stored: JsonObject | undefined,
  { schema, name }: BulkTarget,
): Promise<void> {
  const owner = (stored as Partial<Position> | undefined)?.sync;
  if (owner === undefined || owner === sync.id) return;
  const other = await db
    .selectFrom('bulk_syncs')
    .select('name')
    .where('organization_id', '=', sync.organizationId)
    .where('id', '=', owner)
    .where('destination_connection_id', '=', sync.destinationConnectionId)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new TidemarkError('unprocessable', {
    reason: `${schema}.${name} is written by the bulk sync ${other.name}: give this one another schema or a table prefix`,
  });
}

function shapeOf(sync: Reader, settings: SchemaSettings, table: BulkTable): string {
  const shape = [
    settings.filters,
    cutoffOf(sync, settings),
    obfuscatedOf(table),
    destinationSettings(sync).hardDeletes,
    table.primaryKey,
    sync.sourceConfiguration ?? {},
  ];
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 32);
}

/** Whether a column that is to be obfuscated holds plain values in the rows that are there. */
export function holdsPlainValues(table: BulkTable, stored: JsonObject | undefined): boolean {
  const before = (stored as Partial<Position> | undefined)?.obfuscated;
  return before !== undefined && obfuscatedOf(table).some((name) => !before.includes(name));
}

function obfuscatedOf({ columns }: BulkTable): string[] {
  return columns
    .filter((column) => column.obfuscated)
    .map(({ name }) => name)
    .sort();
}
