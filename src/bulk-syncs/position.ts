import { createHash } from 'node:crypto';
import type { BulkColumn, BulkSource, BulkTable, TableFacts } from '../connectors/index.ts';
import type { JsonObject } from '../lib/json.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';
import { destinationSettings } from './destination-settings.ts';
import { cutoffOf } from './row-filter.ts';
import { columnsChanged, tableChanged } from './what-changed.ts';

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
  /** Some of the rows at or below it, where the source tells by them that it was truncated. */
  newest?: string[][];
  /** Digest of what decides which rows are read and how their values look. */
  shape: string;
  /** Source columns that have been read, as they were. Positions of earlier versions have their names alone. */
  columns: Record<string, KeptColumn>;
  /** What told the table from others. */
  facts: TableFacts;
}

export type KeptColumn = Pick<BulkColumn, 'type' | 'outputName' | 'version'>;

export type Reader = Pick<
  BulkSync,
  'id' | 'sourceConnectionId' | 'sourceConfiguration' | 'dataCutoffTimestamp' | 'destinationConfiguration'
>;

/** @param value the bound of the read; undefined: the next one is a full one. @param newest rows below it. */
export function positionOf(
  sync: Reader,
  settings: SchemaSettings,
  table: BulkTable,
  value: string | undefined,
  newest: string[][] = [],
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
    ...(newest.length === 0 ? {} : { newest }),
    shape: shapeOf(sync, settings, table),
    columns: Object.fromEntries(
      table.columns.map(({ name, type, outputName, version }) => [
        name,
        { type, outputName, ...(version === undefined ? {} : { version }) },
      ]),
    ),
    facts: table.facts ?? {},
  };
  // As it comes back from where it is kept.
  return JSON.parse(JSON.stringify(position)) as JsonObject;
}

/** Where to go on from, or in words why everything has to be read: whatever might have changed rows below unseen. */
export async function resumeFrom(
  source: BulkSource,
  sync: Reader,
  settings: SchemaSettings,
  table: BulkTable,
  stored: JsonObject | undefined,
): Promise<{ from: string } | { full: string }> {
  const field = settings.trackingField;
  if (field === '') return { full: 'it has no tracking field' };
  // A position in plain text would stand beside the digests.
  if (obfuscatedOf(table).includes(field)) return { full: 'its tracking field is obfuscated' };
  // A row that stops passing a filter is not read any more, and would stay as it was.
  if (settings.filters.length > 0) return { full: 'rows may have stopped passing its filters' };
  if (stored === undefined) return { full: 'it is not in the destination yet' };
  const position = stored as Partial<Position>;
  const { value } = position;
  if (value === undefined) return { full: 'no position of an earlier read is kept with its rows' };
  if (position.sync !== sync.id || position.source !== sync.sourceConnectionId) {
    return { full: 'the rows there came from another sync or connection' };
  }
  if (position.schema !== table.schemaId) return { full: 'the rows there came from another schema' };
  if (position.field !== field) return { full: 'its tracking field changed' };
  if (position.shape !== shapeOf(sync, settings, table)) {
    return { full: 'its key, filters, cutoff or obfuscated fields changed' };
  }
  const full = columnsChanged(position, table) ?? (await tableChanged(source, position, table, field, value));
  return full === undefined ? { from: value } : { full };
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
