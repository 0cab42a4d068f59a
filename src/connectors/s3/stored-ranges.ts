import { createHash } from 'node:crypto';
import { TidemarkError } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import { type ManifestFile, type OutputFormat, safeName } from './manifest.ts';
import type { ObjectStore } from './store.ts';

/** What one range of a load has come to; `id` is empty for a load without ranges. */
export interface StoredRange {
  id: string;
  rows: number;
  files: ManifestFile[];
}

/** What the files of a load have to be like, and the rows in them, to go together. */
export interface LoadShape {
  format: OutputFormat;
  columns: readonly FileColumn[];
  output: Pick<BulkOutput, 'columns' | 'primaryKey' | 'partitionBy' | 'facts'>;
}

/** Where a load keeps what it has stored, until it is committed. */
export const loadFolder = (folder: string, generation: string) => `${folder}_loads/${generation}/`;

const claimName = 'claim';

/** Says whose the load of an execution is from now on: that of the worker that opened it last. */
export function claim(store: ObjectStore, loads: string, token: string): Promise<void> {
  return store.write(`${loads}${claimName}`, token);
}

export async function isClaimedBy(store: ObjectStore, loads: string, token: string): Promise<boolean> {
  return (await store.text(`${loads}${claimName}`))?.text === token;
}

/** The ranges that a run before this one has stored, in files that this one would write alike; others go. */
export async function readRanges(
  store: ObjectStore,
  loads: string,
  shape: LoadShape,
): Promise<StoredRange[]> {
  const ranges: StoredRange[] = [];
  for await (const { key } of store.list(loads)) {
    if (key === `${loads}${claimName}`) continue;
    const found = await store.text(key);
    if (found === undefined) continue;
    const { shape: was, ...range } = JSON.parse(found.text) as StoredRange & { shape: string };
    if (was === digestOf(shape)) ranges.push(range);
    else await store.remove(key);
  }
  return ranges;
}

/** One write after its files: a range is stored whole or not at all. */
export async function storeRange(
  store: ObjectStore,
  loads: string,
  shape: LoadShape,
  range: StoredRange,
): Promise<void> {
  await store.write(
    `${loads}${safeName(range.id)}.json`,
    JSON.stringify({ ...range, shape: digestOf(shape) }),
  );
}

/** That no other worker of the execution has discarded what this load is about to commit. */
export async function assertStored(
  store: ObjectStore,
  folder: string,
  { generation, table }: { generation: string; table: string },
  files: readonly ManifestFile[],
): Promise<void> {
  const missing = new Map(files.map(({ path, bytes }) => [`${folder}${path}`, bytes]));
  for await (const { key, size } of store.list(`${folder}data/${generation}/`)) {
    if (missing.get(key) === size) missing.delete(key);
  }
  if (missing.size === 0) return;
  const reason = `Another execution has loaded ${table} meanwhile, or discarded this one's files: give each bulk sync a folder of its own, and run it again`;
  throw new TidemarkError('unprocessable', { reason });
}

function digestOf({ format, columns, output }: LoadShape): string {
  const { primaryKey, partitionBy = null, facts = null } = output;
  const values = output.columns.map(({ name, outputName, type, version = '', obfuscated = false }) => [
    name,
    outputName,
    type,
    version,
    obfuscated,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([format, columns, values, primaryKey, partitionBy, facts]))
    .digest('hex')
    .slice(0, 32);
}
