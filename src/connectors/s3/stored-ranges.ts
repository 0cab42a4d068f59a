import { createHash } from 'node:crypto';
import type { FileColumn } from '../file-formats/file-table.ts';
import { type ManifestFile, type OutputFormat, safeName } from './manifest.ts';
import type { ObjectStore } from './store.ts';

/** What one range of a load has come to; `id` is empty for a load without ranges. */
export interface StoredRange {
  id: string;
  rows: number;
  files: ManifestFile[];
}

/** What the files of a load have to be like to go together. */
export interface LoadShape {
  format: OutputFormat;
  columns: readonly FileColumn[];
}

/** Where a load keeps what it has stored, until it is committed. */
export const loadFolder = (folder: string, generation: string) => `${folder}_loads/${generation}/`;

/** The ranges that a run before this one has stored, in files that this one would write alike. */
export async function readRanges(
  store: ObjectStore,
  loads: string,
  shape: LoadShape,
): Promise<StoredRange[]> {
  const ranges: StoredRange[] = [];
  for await (const { key } of store.list(loads)) {
    const found = await store.text(key);
    if (found === undefined) continue;
    const { shape: was, ...range } = JSON.parse(found.text) as StoredRange & { shape: string };
    if (was === digestOf(shape)) ranges.push(range);
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

function digestOf({ format, columns }: LoadShape): string {
  return createHash('sha256')
    .update(JSON.stringify([format, columns]))
    .digest('hex')
    .slice(0, 32);
}
