import { TidemarkError } from '../../errors.ts';
import { millisecondsOf } from '../../lib/timestamp.ts';
import type { FileColumn, FileRead, FileTable } from '../file-formats/file-table.ts';
import { convertedRows } from '../file-formats/one-file.ts';
import { unionColumns } from '../file-formats/union-columns.ts';
import { allRows } from '../file-formats/whole-file.ts';
import { fileRanges } from './file-ranges.ts';
import { partitionsOf, type TableFiles } from './object-names.ts';
import { type ObjectReader, type Shape, type TextLayout, textFile } from './object-reader.ts';

/** When its file was written last, of every row of a table of many files. */
export const modifiedAt: FileColumn = { name: '_tidemark_modified_at', type: 'timestamp with time zone' };

type File = TableFiles['files'][number];

/** A table of objects: their columns by name, with types that hold every value of every object. */
export async function objectTable(
  reader: ObjectReader,
  { id, files, parts }: TableFiles,
  layout: TextLayout,
): Promise<FileTable> {
  const shapes: Shape[] = [];
  for (const { object, format } of files) shapes.push(await reader.shape(object, format, layout));
  const columns = tableColumns(
    files,
    shapes.map((shape) => shape.columns),
    parts,
  );
  if (columns.length === 0) {
    throw new TidemarkError('unprocessable', {
      reason: `${id}: its files are empty, they have not even a header`,
    });
  }
  return {
    id,
    columns,
    primaryKey: [],
    rows: shapes.reduce((total, { rows }) => total + rows, 0),
    async *read(wanted, options) {
      for (const file of chosenFiles(files, options))
        yield* fileRows(reader, file, layout, wanted, options, parts);
    },
    ranges: (rows) =>
      fileRanges(
        files.map(({ object: { key, etag } }, index) => ({
          is: { key, etag },
          rows: shapes[index]?.rows ?? 0,
        })),
        rows,
      ),
    place: reader.place,
    ...(parts && {
      trackingBound: (field) => lastModified(files, field),
      reaches: (from) => filesSince(files, from).length > 0,
    }),
  };
}

export function tableColumns(
  files: readonly File[],
  shapes: readonly Shape['columns'][],
  parts: boolean,
): FileColumn[] {
  const columns = unionColumns(shapes);
  const add = (column: FileColumn) => {
    if (!columns.some(({ name }) => name === column.name)) columns.push(column);
  };
  const partitions = new Set(files.flatMap(({ object }) => [...partitionsOf(object.key).keys()]));
  if (columns.length > 0) for (const name of partitions) add({ name, type: 'text' });
  if (columns.length > 0 && parts) add(modifiedAt);
  return columns;
}

async function* fileRows(
  reader: ObjectReader,
  { object, format }: File,
  layout: TextLayout,
  wanted: readonly FileColumn[],
  { warnings }: FileRead,
  parts: boolean,
): AsyncGenerator<Buffer> {
  const constants = new Map<string, string>();
  for (const [name, value] of partitionsOf(object.key)) if (value !== null) constants.set(name, value);
  if (parts) constants.set(modifiedAt.name, timestampText(object.modified));
  const { columns, rows } = await reader.shape(object, format, layout);
  await using copy = await reader.open(object);
  if (format === 'parquet') {
    const read = reader.parquetRows(copy.path, object.key, wanted, warnings, constants);
    yield* allRows(read, object.key, rows);
    return;
  }
  const own = columns.map(({ name, json }) => ({ name, json: json === true }));
  const text = textFile(object.key, copy.path, format, layout);
  yield* allRows(convertedRows(text, own, wanted, { warnings }, constants), object.key, rows);
}

/** The files of a range, as they were when it was made, or those that tracking has not passed. */
function chosenFiles(files: readonly File[], { range, tracking }: FileRead): readonly File[] {
  if (range !== undefined) {
    const wanted = range.bounds.files as unknown as { key: string; etag: string }[];
    return wanted.map((one) => sameObject(files, one));
  }
  if (tracking === undefined) return files;
  return filesSince(files, tracking.from, tracking.overlapSeconds);
}

function filesSince(files: readonly File[], from: string, overlapSeconds = 0): readonly File[] {
  const time = millisecondsOf(from) - overlapSeconds * 1000;
  return files.filter(({ object }) => object.modified.getTime() >= time);
}

function sameObject(files: readonly File[], { key, etag }: { key: string; etag: string }): File {
  const found = files.find(({ object }) => object.key === key && object.etag === etag);
  if (found !== undefined) return found;
  const reason = `${key} has been changed or removed since this execution began to read it; start another one`;
  throw new TidemarkError('unprocessable', { reason });
}

function lastModified(files: readonly File[], field: string): string | undefined {
  if (field !== modifiedAt.name) {
    throw new TidemarkError('invalid_field', {
      field: 'tracking_field',
      reason: `files can be followed by ${modifiedAt.name} only`,
    });
  }
  const times = files.map(({ object }) => object.modified.getTime());
  return times.length === 0 ? undefined : timestampText(new Date(Math.max(...times)));
}

/** `2024-02-29 23:59:59.5+00` */
export function timestampText(time: Date): string {
  return `${time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '')}+00`;
}
