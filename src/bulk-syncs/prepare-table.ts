import { isDeepStrictEqual } from 'node:util';
import { primaryKeyOverride } from '../connections/index.ts';
import type { BulkOutput, BulkRange, BulkRead, BulkTable } from '../connectors/index.ts';
import type { Database } from '../db/index.ts';
import { TidemarkError } from '../errors.ts';
import type { Run } from '../executions/index.ts';
import type { BulkSync, ColumnName, SchemaSettings, SelectedSchema } from './bulk-sync.ts';
import { chooseLoad, takingOver } from './choose-load.ts';
import type { Ends, TableCopy } from './copy-table.ts';
import { destinationSettings } from './destination-settings.ts';
import { overlapOf } from './overlap.ts';
import { ownershipOf } from './ownership.ts';
import { positionOf } from './position.ts';
import { readableTable } from './readable-table.ts';
import { recordSchema } from './record-schema.ts';
import { cutoffCondition, cutoffOf, rowFilter } from './row-filter.ts';
import { saveColumnNames } from './selected-schemas.ts';
import { digestColumns, keptPlan, type TablePlan } from './table-plan.ts';
import type { Task } from './tasks.ts';

const noCutoff =
  'data_cutoff_timestamp has no effect here: it is held against the tracking field, which is no time or not set';

export interface Preparation {
  db: Database;
  run: Run;
  sync: BulkSync;
  ends: Ends;
  /** Rows of a range; a table with fewer than two of them is read as a whole. */
  rangeRows: number;
  /** What obfuscated values of this organization are salted with. */
  salt: string;
}

export interface Prepared extends TableCopy {
  /** Why every row is read; undefined when only new ones are. */
  why: string | undefined;
  /** What its columns are called from now on. */
  names: readonly ColumnName[];
}

/** Settles how one table is copied: anew, or as the run before this one had settled it. */
export async function prepareTable(context: Preparation, task: Task): Promise<Prepared> {
  const { db, run, sync, ends, salt } = context;
  const { schemaId, schema, output: target } = task;
  if (schema === undefined) {
    throw new TidemarkError('unprocessable', { reason: `${schemaId} is not part of this sync any more` });
  }
  const { settings } = schema;
  const override = await primaryKeyOverride(db, sync.sourceConnectionId, schemaId);
  const { table, names } = await readableTable(ends.source, schemaId, sync, schema, override);
  if (run.execution.options.test !== true) await keepNames(run, sync, schema, names);
  await recordSchema(run, schemaId, { estimated_count: table.estimatedRows ?? null });
  const output = outputOf(sync, settings, table, target);
  if (cutoffOf(sync, settings) !== null && cutoffCondition(sync, settings, table) === undefined) {
    await run.console('warn', noCutoff, {}, schemaId);
  }
  const { strangers } = destinationSettings(sync);
  const always = { executionId: run.execution.id, ...(strangers === undefined ? {} : { strangers }) };
  const kept = keptPlan(task.plan, table);
  if (kept !== undefined) {
    const { ranges, load, position, why, filter } = kept;
    const read: BulkRead = { salt, ...(filter === undefined ? {} : { filter }) };
    const plan = { ...always, ...load, ranged: true };
    return { table, output, plan, read, ranges, position, why, names };
  }
  const filter = rowFilter(sync, settings, table, run.execution.startedAt ?? run.execution.createdAt);
  const read: BulkRead = { salt, ...(filter === undefined ? {} : { filter }) };
  const { stored, taking } = await ownershipOf(db, sync, await ends.destination.standing(target), {
    ...target,
    origin: table.origin,
  });
  const { resync_mode: resync } = run.execution.options;
  const resyncMode = typeof resync === 'string' ? resync : undefined;
  const choice = takingOver(await chooseLoad(ends.source, sync, settings, table, resyncMode, stored), taking);
  // Before anything is read: a row that changes meanwhile lies above it and is read again.
  const bound = await boundOf(ends, settings, table);
  const newest = bound === undefined ? [] : await newestOf(ends, settings, table, bound);
  const position = positionOf(sync, settings, table, bound, newest);
  const { from, why } = choice;
  if (from !== undefined) {
    const plan = { ...always, ...choice.plan, ranged: false, expects: stored ?? null };
    const overlapSeconds = overlapOf(sync, settings, table);
    const tracking = { field: settings.trackingField, from, overlapSeconds };
    return { table, output, plan, read: { ...read, tracking }, ranges: [], position, why, names };
  }
  const ranges = run.execution.options.test === true ? [] : await rangesOf(context, table);
  const plan = {
    ...always,
    ...choice.plan,
    ranged: ranges.length > 0,
    expects: stored ?? null,
  };
  if (ranges.length > 0) {
    const columns = digestColumns(table);
    const kept: TablePlan = {
      ranges,
      load: choice.plan,
      position,
      why: why ?? '',
      columns,
      ...(filter === undefined ? {} : { filter }),
    };
    task.plan = JSON.parse(JSON.stringify(kept));
    await recordSchema(run, schemaId, { plan: task.plan });
  }
  return { table, output, plan, read, ranges, position, why, names };
}

/** Before anything is written under them. Names of columns that are not read any more are kept, too. */
async function keepNames(
  run: Run,
  sync: BulkSync,
  { id, columnNames }: SelectedSchema,
  names: readonly ColumnName[],
): Promise<void> {
  const isKept = (one: ColumnName) => columnNames.some((kept) => isDeepStrictEqual(kept, one));
  const added = names.filter((one) => !isKept(one));
  if (added.length === 0) return;
  await run.commit({}, (tx) => saveColumnNames(tx, sync.id, id, [...columnNames, ...added]));
}

async function boundOf(
  { source }: Ends,
  { trackingField }: SchemaSettings,
  table: BulkTable,
): Promise<string | undefined> {
  const field = table.columns.find(({ name }) => name === trackingField);
  if (trackingField === '' || field?.obfuscated) return undefined;
  // A source that cannot follow a field is read in full every time.
  return source.trackingBound?.(table, trackingField);
}

/** What is obfuscated is not kept in plain text beside the digests. */
async function newestOf(
  { source }: Ends,
  { trackingField }: SchemaSettings,
  table: BulkTable,
  bound: string,
): Promise<string[][]> {
  const { columns, primaryKey } = table;
  const isHidden = columns.some(({ name, obfuscated }) => obfuscated && primaryKey.includes(name));
  if (isHidden || primaryKey.length === 0) return [];
  return (await source.newest?.(table, trackingField, bound)) ?? [];
}

async function rangesOf({ ends, rangeRows }: Preparation, table: BulkTable): Promise<BulkRange[]> {
  const rows = table.estimatedRows ?? 0;
  if (rows < 2 * rangeRows || ends.source.ranges === undefined) return [];
  // Smaller ones where there are few: while the last one is on its way, half of the machine waits.
  const size = Math.min(rangeRows, Math.max(rangeRows / 4, rows / 32));
  const ranges = await ends.source.ranges(table, size);
  return ranges.length < 2 ? [] : ranges;
}

function outputOf(
  sync: BulkSync,
  settings: SchemaSettings,
  table: BulkTable,
  target: Task['output'],
): BulkOutput {
  const { origin, facts, columns, primaryKey } = table;
  const { columnPrefix, hardDeletes } = destinationSettings(sync);
  const merges = sync.mode === 'replicate' && primaryKey.length > 0;
  const { partitionKey } = settings;
  if (partitionKey !== '' && !columns.some(({ name }) => name === partitionKey)) {
    throw new TidemarkError('unprocessable', {
      reason: `partition_key: ${partitionKey} is not among the fields of ${table.schemaId} that are read`,
    });
  }
  return {
    ...target,
    origin,
    ...(facts === undefined ? {} : { facts }),
    columns,
    primaryKey,
    options: sync.destinationConfiguration,
    ...(partitionKey === '' ? {} : { partitionBy: partitionKey }),
    ...(sync.disableRecordTimestamps ? {} : { syncedAt: `${columnPrefix}synced_at` }),
    ...(merges && !hardDeletes ? { deletedAt: `${columnPrefix}deleted_at` } : {}),
  };
}
