import { addAbortSignal } from 'node:stream';
import type { BulkDestination, BulkOutput, BulkSource, BulkTable, WireFormat } from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import type { BulkSync, SchemaSettings } from './bulk-sync.ts';
import type { OutputName } from './output-names.ts';
import { columnNames } from './output-names.ts';
import type { ProgressReport } from './progress.ts';
import { isFieldEnabled } from './schema-settings.ts';

export interface Ends {
  source: BulkSource;
  destination: BulkDestination;
}

/** The table as the source has it now, with the columns that are wanted. */
export async function readableTable(
  source: BulkSource,
  schemaId: string,
  sync: BulkSync,
  settings: SchemaSettings,
): Promise<BulkTable> {
  const all = await source.table(schemaId, undefined);
  const wanted = all.columns.filter(({ name }) => isFieldEnabled(sync, settings, name));
  const table =
    wanted.length === all.columns.length
      ? all
      : await source.table(
          schemaId,
          wanted.map(({ name }) => name),
        );
  const names = columnNames(
    table.columns.map(({ name }) => name),
    settings.fields,
    sync.normalizeNames,
  );
  const columns = table.columns.map((column, index) => ({
    ...column,
    outputName: names[index] ?? column.outputName,
  }));
  return { ...table, columns };
}

/**
 * Copies one table whole: loads it beside the live one and swaps. Aborting ends both ends at once.
 *
 * @returns the rows the destination has counted, and the bytes that went there.
 */
export async function copyTable(
  { source, destination }: Ends,
  table: BulkTable,
  { schema, name }: OutputName,
  context: { executionId: string; signal: AbortSignal; progress: ProgressReport },
): Promise<{ rows: number; bytes: number }> {
  const { executionId, signal, progress } = context;
  const { origin, columns, primaryKey } = table;
  const output: BulkOutput = { origin, schema, name, columns, primaryKey };
  const format = commonFormat(table.formats, destination.formats);
  signal.throwIfAborted();
  const plan = { executionId, mode: 'replace', truncate: false, ranged: false } as const;
  const load = await destination.load(output, plan);
  const abort = () => void load.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    const rows = addAbortSignal(signal, await source.read(table, format, {}));
    const unfollow = progress.follow(table.schemaId, rows);
    try {
      const { rows: written } = await load.write(rows, format);
      signal.throwIfAborted();
      await load.commit({});
      return { rows: written, bytes: rows.bytes };
    } finally {
      unfollow();
      rows.destroy();
    }
  } catch (error) {
    await load.abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function commonFormat(offered: readonly WireFormat[], accepted: readonly WireFormat[]): WireFormat {
  const format = offered.find((one) => accepted.includes(one));
  if (format !== undefined) return format;
  throw new TidemarkError('unprocessable', {
    reason: `The source sends this table as ${offered.join(' or ')}, which the destination does not take`,
  });
}
