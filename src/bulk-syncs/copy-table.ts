import { addAbortSignal } from 'node:stream';
import {
  type BulkDestination,
  type BulkOutput,
  type BulkRange,
  type BulkRead,
  type BulkSource,
  type BulkTable,
  type Committed,
  ConnectionLost,
  compareRows,
  expectRows,
  type LoadPlan,
  type TableLoad,
  type ValueWarning,
  type WireFormat,
} from '../connectors/index.ts';
import { TidemarkError } from '../errors.ts';
import { eachLimited } from '../lib/each-limited.ts';
import type { JsonObject } from '../lib/json.ts';
import type { TableProgress } from './progress.ts';

export interface Ends {
  source: BulkSource;
  destination: BulkDestination;
}

/** One table on its way, as it was settled when its load began. */
export interface TableCopy {
  table: BulkTable;
  output: BulkOutput;
  plan: LoadPlan;
  read: BulkRead;
  /** Empty: the table is read as a whole. */
  ranges: BulkRange[];
  /** Committed with the rows. */
  position: JsonObject;
}

export interface Copied {
  rows: number;
  bytes: number;
  warnings: ValueWarning[];
  committed: Committed;
}

interface CopyContext {
  signal: AbortSignal;
  progress: TableProgress;
  /** Ranges of one table that are on their way at a time. */
  streams: number;
}

/**
 * Copies what `copy` says and makes it live. Aborting ends both ends at once; ranges that were stored stay for the
 * run that goes on, and so they do when a connection was lost.
 */
export async function copyTable(ends: Ends, copy: TableCopy, context: CopyContext): Promise<Copied> {
  const { signal, progress } = context;
  signal.throwIfAborted();
  const load = await ends.destination.load(copy.output, copy.plan);
  const abort = () => void load.abort().catch(() => {});
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    checkStored(copy, load);
    for (const rows of load.stored.values()) progress.add(rows);
    const written = await writeRows(ends, copy, load, context);
    signal.throwIfAborted();
    const stored = load.stored.values().reduce((total, rows) => total + rows, 0);
    const rows = stored + written.rows;
    const committed = await load.commit(copy.position);
    // The destination has looked before it committed; that it did is not left to it alone.
    expectRows(`${copy.output.schema}.${copy.output.name}`, rows, committed.rows);
    return { ...written, rows, committed };
  } catch (error) {
    // What it leaves behind where it cannot clear up, the next load of the table removes.
    if (error instanceof ConnectionLost || signal.aborted) await load.abort().catch(() => {});
    else await load.discard().catch(() => {});
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** A stored range that is not one of this division would put its rows there twice. */
function checkStored({ output, ranges }: TableCopy, load: TableLoad): void {
  const strange = [...load.stored.keys()].find((stored) => !ranges.some(({ id }) => id === stored));
  if (strange === undefined) return;
  expectRows(`${output.schema}.${output.name}, range ${strange}`, 0, load.stored.get(strange) ?? 0);
}

async function writeRows(
  { source, destination }: Ends,
  { table, read, ranges }: TableCopy,
  load: TableLoad,
  { signal, progress, streams }: CopyContext,
): Promise<Omit<Copied, 'committed'>> {
  const format = commonFormat(table.formats, destination.formats);
  const total: Omit<Copied, 'committed'> = { rows: 0, bytes: 0, warnings: [] };
  // A range that fails ends its siblings: the table is tried again as a whole, from what is stored.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const writeOne = async (range: BulkRange | undefined) => {
    const rows = addAbortSignal(
      either,
      await source.read(table, format, range === undefined ? read : { ...read, range }),
    );
    // Aborted before the load listens to it, it would end the process.
    rows.on('error', () => {});
    const unfollow = progress.follow(rows);
    try {
      const written = await load.write(rows, format, range);
      compareRows(rows, written.rows);
      total.rows += written.rows;
      total.bytes += rows.bytes;
      total.warnings.push(...(rows.warnings ?? []), ...written.warnings);
    } finally {
      unfollow();
      rows.destroy();
    }
  };
  if (ranges.length === 0) {
    await writeOne(undefined);
    return total;
  }
  let failure: { error: unknown } | undefined;
  const left = ranges.filter(({ id }) => !load.stored.has(id));
  await eachLimited(left, streams, async (range) => {
    try {
      await writeOne(range);
    } catch (error) {
      failure ??= { error };
      stop.abort(error);
      throw error;
    }
  }).catch((error: unknown) => {
    throw failure === undefined ? error : failure.error;
  });
  return total;
}

function commonFormat(offered: readonly WireFormat[], accepted: readonly WireFormat[]): WireFormat {
  const format = offered.find((one) => accepted.includes(one));
  if (format !== undefined) return format;
  throw new TidemarkError('unprocessable', {
    reason: `The source sends this table as ${offered.join(' or ')}, which the destination does not take`,
  });
}
