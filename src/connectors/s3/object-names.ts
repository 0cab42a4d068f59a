import type { Configuration } from './configuration.ts';
import { folderPattern } from './folder-pattern.ts';
import type { StoredObject } from './store.ts';

export type FileFormat = 'csv' | 'json' | 'parquet';

/** The format that a name says a file has, and the name without what says it. */
export function formatOf(name: string): { format: FileFormat; base: string } | undefined {
  const text = /^(.*?)\.(csv|tsv|txt|json|jsonl|ndjson)(?:\.gz)?$/i.exec(name);
  if (text !== null) {
    const [, base = '', extension = ''] = text;
    return { format: /json$|jsonl$/i.test(extension) ? 'json' : 'csv', base };
  }
  const parquet = /^(.*?)\.(?:gz\.|snappy\.|zstd\.)?(?:parquet|pq)$/i.exec(name);
  return parquet === null ? undefined : { format: 'parquet', base: parquet[1] ?? '' };
}

/** One table's files, in the order of their keys. */
export interface TableFiles {
  id: string;
  name: string;
  files: { object: StoredObject; format: FileFormat }[];
  /** The files are one of many: each row says when its file came. */
  parts: boolean;
}

type Naming = Pick<
  Configuration,
  | 'is_single_table'
  | 'is_directory_snapshot'
  | 'directory_glob_pattern'
  | 'single_table_name'
  | 'single_table_file_format'
  | 'single_table_file_formats'
>;

/**
 * Which files are which table.
 *
 * - By default each file is a table, named by its path: `exports/users.csv` is table `users` in `exports`.
 * - `is_single_table`: all files of the configured formats are one table.
 * - with `is_directory_snapshot`: each folder that `directory_glob_pattern` matches is one, with all below it.
 *
 * Empty objects, names that begin with `_` or `.`, and files of other formats are left out.
 */
export function tablesOf(objects: readonly StoredObject[], prefix: string, naming: Naming): TableFiles[] {
  const tables = new Map<string, TableFiles>();
  const sorted = objects.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  const { assumed, allowed } = wantedFormats(naming);
  const folder = folderPattern(naming.directory_glob_pattern ?? '*');
  for (const object of sorted) {
    const path = object.key.slice(prefix.length);
    if (object.size === 0 || path === '' || /(^|\/)[_.]/.test(path)) continue;
    const said = formatOf(path);
    if (naming.is_single_table !== true) {
      if (said !== undefined) add(tables, said.base, object, said.format, false);
      continue;
    }
    const format = said?.format ?? assumed;
    if (format === undefined || !allowed.has(format)) continue;
    if (naming.is_directory_snapshot !== true) {
      add(tables, (naming.single_table_name || 'files').replaceAll('/', '_'), object, format, true);
      continue;
    }
    const matched = folder(path);
    if (matched !== undefined) add(tables, matched, object, format, true);
  }
  return [...tables.values()];
}

function add(
  tables: Map<string, TableFiles>,
  path: string,
  object: StoredObject,
  format: FileFormat,
  parts: boolean,
): void {
  const id = tableId(path);
  const table = tables.get(id) ?? { id, name: path, files: [], parts };
  table.files.push({ object, format });
  tables.set(id, table);
}

/** `exports/2024.01/users` → `exports/2024_01.users`: in front of the dot is the namespace. */
export function tableId(path: string): string {
  const plain = path.replaceAll('.', '_');
  const slash = plain.lastIndexOf('/');
  return slash < 0 ? plain : `${plain.slice(0, slash)}.${plain.slice(slash + 1)}`;
}

/** The formats that a table of many files has, and the one of files whose name does not say. */
function wantedFormats(naming: Naming): {
  assumed: FileFormat | undefined;
  allowed: ReadonlySet<FileFormat>;
} {
  const { single_table_file_format: one, single_table_file_formats: several } = naming;
  const formats = several !== undefined && several.length > 0 ? several : [one ?? 'csv'];
  return { assumed: formats.length === 1 ? formats[0] : undefined, allowed: new Set(formats) };
}

/** The parts of a path that name a column and its value: `year=2024/`. */
export function partitionsOf(key: string): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const part of key.split('/').slice(0, -1)) {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(part) ?? [];
    if (name === undefined || value === undefined) continue;
    found.set(decoded(name), value === '__HIVE_DEFAULT_PARTITION__' ? null : decoded(value));
  }
  return found;
}

/** A part of a key as it was before it was escaped. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
