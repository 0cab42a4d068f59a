import { randomBytes } from 'node:crypto';
import { messageOf, TidemarkError } from '../../errors.ts';
import { oneAtATime } from '../../lib/one-at-a-time.ts';
import { pieces } from '../../lib/pieces.ts';
import type { BulkOutput, LoadPlan, TableLoad } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';
import { checkExpected } from '../expected-position.ts';
import { wholeRows } from '../file-formats/copy-text-rows.ts';
import { Written } from '../row-counts.ts';
import { checkStranger } from '../strangers.ts';
import type { DestinationContext } from './bulk-destination.ts';
import { sizeOf } from './file-lists.ts';
import {
  commitManifest,
  manifestOf,
  type OutputFormat,
  originOf,
  readManifest,
  tableFolder,
} from './manifest.ts';
import { mergeFiles } from './merge-files.ts';
import { timestampText } from './object-table.ts';
import { changesOf, mergedColumns, outputColumns, projected } from './output-columns.ts';
import { assertStored, claim, isClaimedBy, loadFolder, readRanges, storeRange } from './stored-ranges.ts';
import { removeStrangers, strangersIn } from './strangers.ts';
import { copyLatest, removeBelow } from './tidy.ts';
import { type FileWriter, writeFiles } from './write-files.ts';

/**
 * Loads one table: files of a new generation beside the live ones, then one write of the manifest. Nothing that a
 * manifest names is ever written again, so that who follows it sees the old rows or the new ones.
 */
export async function openLoad(
  context: DestinationContext,
  output: BulkOutput,
  plan: LoadPlan,
  format: OutputFormat,
): Promise<TableLoad> {
  const { place, partSize } = context;
  const ended = new AbortController();
  const signal = AbortSignal.any([context.signal, ended.signal]);
  const store = context.openStore(signal);
  const folder = tableFolder(place.prefix, output);
  if (output.origin === originOf(place, folder)) {
    const reason = `${output.schema}.${output.name} in the destination is the source table itself: choose another folder or output name`;
    throw new TidemarkError('unprocessable', { reason });
  }
  const live = await readManifest(store, folder);
  if (live?.manifest.position.model_sync !== undefined) {
    const reason = `${output.schema}.${output.name} was written by a model sync: choose another folder or output name`;
    throw new TidemarkError('unprocessable', { reason });
  }
  const overwrites = live === undefined && plan.strangers === 'overwrite';
  if (live === undefined && plan.strangers === undefined) {
    checkStranger(output, plan, await strangersIn(store, folder));
  }
  const incoming = outputColumns(output, format);
  checkExpected(output, plan, live?.manifest.position);
  const merging = plan.mode === 'merge' ? live?.manifest : undefined;
  const columns = merging === undefined ? incoming : mergedColumns(merging, incoming);
  const generation = plan.executionId;
  const loads = loadFolder(folder, generation);
  // In every name: what a run that was given up still writes is never taken for this one's.
  const token = randomBytes(4).toString('hex');
  await claim(store, loads, token);
  const shape = { format, columns, output };
  const ranges = plan.ranged ? await readRanges(store, loads, shape) : [];
  const temp = await context.temp();
  const inTurn = oneAtATime();
  let engine: Engine | undefined;
  const withEngine: FileWriter['withEngine'] = (use) =>
    inTurn(async () => {
      signal.throwIfAborted();
      engine ??= await context.engines.take();
      return use(engine);
    });
  const partitionBy = output.columns.find(({ name }) => name === output.partitionBy)?.outputName;
  const writer: FileWriter = {
    store,
    temp,
    withEngine,
    format,
    folder,
    generation,
    columns,
    partitionBy,
    partSize,
  };
  const now = timestampText(new Date());
  let writes = 0;

  const end = async () => {
    ended.abort(new Error('the load was ended'));
    // Nobody waits for an abort: a folder that cannot be removed must not end the process.
    const close = async () => engine?.close().catch(() => {});
    await close();
    await inTurn(async () => {});
    await close();
  };

  return {
    stored: new Map(ranges.map(({ id, rows }) => [id, rows])),

    async write(rows, _format, range) {
      // It starts while the first rows come.
      if (format === 'parquet') withEngine(async () => {}).catch(() => {});
      // Rows that are laid out are kept until their file is written.
      const recycle = partitionBy === undefined ? (chunk: Buffer) => rows.recycle?.(chunk) : undefined;
      const whole = wholeRows(pieces(rows), 'the source', { recycle });
      const incomingRows = projected(whole, output, columns, now);
      const { files, warnings } = await writeFiles(writer, incomingRows, `part-${token}-${writes++}`);
      const count = files.reduce((total, file) => total + file.rows, 0);
      const written = Written.of(rows, count, warnings);
      const stored = { id: range?.id ?? '', rows: count, files };
      if (plan.ranged) await storeRange(store, loads, shape, stored);
      ranges.push(stored);
      return written;
    },

    async commit(position) {
      const added = ranges.flatMap(({ files }) => files);
      await assertStored(store, folder, { generation, table: `${output.schema}.${output.name}` }, added);
      const { files, counts } =
        merging === undefined
          ? { files: added, counts: {} }
          : await mergeFiles({
              writer,
              output,
              plan,
              live: merging,
              added,
              incoming,
              now,
              label: `merged-${token}`,
              engines: context.engines,
            });
      const manifest = manifestOf(output, writer, { files }, position, token);
      await commitManifest(store, folder, manifest, live?.etag ?? null);
      // The rows are live: what fails from here on costs space until the next load does it. What is stored of loads
      // goes before its files, so that nobody goes on from files that are gone.
      const tidied: string[] = [];
      try {
        await removeBelow(store, folder, '_loads/');
        await removeBelow(store, folder, 'data/', new Set(files.map(({ path }) => `${folder}${path}`)));
        if (overwrites) tidied.push(...(await removeStrangers(store, folder)));
        if (output.options?.latest === true) await copyLatest(store, folder, manifest);
      } catch (error) {
        tidied.push(
          `what is no part of it any more is in its folder still, in part or all: ${messageOf(error)}`,
        );
      }
      if (engine !== undefined) context.engines.give(engine);
      engine = undefined;
      return {
        rows: sizeOf(added).rows,
        ...counts,
        changes: [...(merging === undefined ? [] : changesOf(merging, incoming, columns)), ...tidied],
      };
    },

    abort: end,

    async discard() {
      await end();
      const tidying = context.openStore(context.signal);
      // A worker that has taken over goes on from what is there, and tidies up itself.
      if (!(await isClaimedBy(tidying, loads, token))) return;
      await removeBelow(tidying, folder, loads.slice(folder.length));
      // As it is now: another worker may have committed the same execution since this load began.
      const now = await readManifest(tidying, folder);
      const kept = new Set(now?.manifest.files.map(({ path }) => `${folder}${path}`));
      await removeBelow(tidying, folder, `data/${generation}/`, kept);
    },
  };
}
