import { createReadStream } from 'node:fs';
import { TidemarkError } from '../../errors.ts';
import type { BulkRange } from '../contract.ts';
import type { FileColumn, FileRead, FileTable } from '../file-formats/file-table.ts';
import { allRows } from '../file-formats/whole-file.ts';
import { fileRanges } from './file-ranges.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import type { ObjectReader } from './object-reader.ts';
import { ownTextRows } from './own-file.ts';

/** A table that Tidemark wrote: its manifest says which files it has, and what its columns were. */
export function manifestTable(
  reader: ObjectReader,
  id: string,
  folder: string,
  manifest: Manifest,
  origin: string,
): FileTable {
  const { columns, primaryKey, rows, files } = manifest;
  return {
    id,
    origin,
    columns,
    primaryKey,
    rows,
    async *read(wanted, { range, warnings }) {
      for (const file of range === undefined ? files : filesOf(id, range, files)) {
        yield* fileRows(reader, folder, file, wanted, warnings);
      }
    },
    ranges: (size) =>
      fileRanges(
        files.map((file) => ({ is: { path: file.path }, rows: file.rows })),
        size,
      ),
  };
}

async function* fileRows(
  reader: ObjectReader,
  folder: string,
  { path, bytes, rows }: ManifestFile,
  wanted: readonly FileColumn[],
  warnings: FileRead['warnings'],
): AsyncGenerator<Buffer> {
  const key = `${folder}${path}`;
  await using copy = await reader.open({ key, size: bytes });
  if (path.endsWith('.parquet')) {
    yield* allRows(reader.parquetRows(copy.path, key, wanted, warnings), key, rows);
    return;
  }
  const open = () => createReadStream(copy.path, { highWaterMark: 256 * 1024 });
  yield* allRows(ownTextRows(key, open, wanted, warnings), key, rows);
}

/** A manifest's files never change; they go when another load has taken their place. */
function filesOf(id: string, { bounds }: BulkRange, files: readonly ManifestFile[]): ManifestFile[] {
  return (bounds.files as unknown as { path: string }[]).map(({ path }) => {
    const found = files.find((file) => file.path === path);
    if (found !== undefined) return found;
    const reason = `${id} has been loaded again since this execution began to read it; start another one`;
    throw new TidemarkError('unprocessable', { reason });
  });
}
