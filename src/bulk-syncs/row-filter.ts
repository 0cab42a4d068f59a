import { atTime, type Condition, type Expression, type FixedExpression } from '../conditions/index.ts';
import type { BulkTable } from '../connectors/index.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';

const time = /^(date|timestamp|timestamptz)\b/;

/**
 * Which rows of a table are read: those that pass every filter, and are not older than the cutoff.
 *
 * @param now RFC 3339; what counts from now counts from the execution's start, however often it is resumed.
 */
export function rowFilter(
  sync: Pick<BulkSync, 'dataCutoffTimestamp'>,
  settings: SchemaSettings,
  table: BulkTable,
  now: string,
): FixedExpression | undefined {
  const cutoff = cutoffCondition(sync, settings, table);
  const parts: Expression[] = [...settings.filters, ...(cutoff === undefined ? [] : [cutoff])];
  return parts.length === 0 ? undefined : atTime({ and: parts }, now);
}

/** The cutoff that is set for a schema, whether or not it has a field that the cutoff could be held against. */
export function cutoffOf(
  sync: Pick<BulkSync, 'dataCutoffTimestamp'>,
  settings: SchemaSettings,
): string | null {
  return settings.disableDataCutoff ? null : (settings.dataCutoffTimestamp ?? sync.dataCutoffTimestamp);
}

/** Of what age a row is its tracking field tells, where that is a time; a row without a value is kept. */
export function cutoffCondition(
  sync: Pick<BulkSync, 'dataCutoffTimestamp'>,
  settings: SchemaSettings,
  { columns }: BulkTable,
): Expression | undefined {
  const cutoff = cutoffOf(sync, settings);
  const column = columns.find(({ name }) => name === settings.trackingField);
  if (cutoff === null || column === undefined || !time.test(column.type)) return undefined;
  const field = column.name;
  const recent: Condition = { field, function: 'OnOrAfter', value: cutoff };
  return { or: [recent, { field, function: 'IsNull', value: null }] };
}
