import { TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { BulkOutput, BulkTarget } from '../contract.ts';
import type { FileColumn } from '../file-formats/file-table.ts';
import type { Place } from './configuration.ts';
import { type FileList, sizeOf } from './file-lists.ts';
import { type ObjectStore, Overtaken } from './store.ts';

export const outputFormats = ['parquet', 'csv', 'jsonl'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** One file of a table. */
export interface ManifestFile {
  /** Below the table's folder. */
  path: string;
  rows: number;
  bytes: number;
  /** The value that the rows share, as text, where the table is partitioned; null for NULL. */
  partition?: string | null;
}

/**
 * What a table consists of. Replacing this one object is what commits a load: a reader that follows it sees the old
 * rows or the new ones.
 */
export interface Manifest {
  /** 2: some of the files are in lists. */
  tidemark: 1 | 2;
  schema: string;
  name: string;
  format: OutputFormat;
  /** Of the load that wrote it last. */
  generation: string;
  /** Tells it from other loads of the same execution. */
  load: string;
  committedAt: string;
  rows: number;
  bytes: number;
  /** In the order of the files' columns, with the PostgreSQL types of their values. */
  columns: FileColumn[];
  /** Names of columns. */
  primaryKey: string[];
  partitionBy?: string;
  /** Of Tidemark's own. */
  position: JsonObject;
  files: ManifestFile[];
  /** Of files that came before these. */
  lists?: FileList[];
}

export const manifestName = '_manifest.json';

/** What a table keeps in its folder, and removes what is in there. */
const ownFolders = /^(?:data|_loads|_lists|latest)$/;

/** The folder of a table, with a slash at its end; never in one that another table keeps its files in. */
export function tableFolder(prefix: string, { schema, name }: BulkTarget): string {
  const parts = [...schema.split('/'), name].map(safeName).filter((part) => part !== '');
  const [first = '', ...others] = parts;
  return `${prefix}${[first, ...others.map(besideOwnFolders)].join('/')}/`;
}

/** `data` → `%64ata`, which is read as `data` again. */
function besideOwnFolders(part: string): string {
  return ownFolders.test(part)
    ? part.replace(/^./, (first) => `%${first.charCodeAt(0).toString(16).toUpperCase()}`)
    : part;
}

/** A part of a key that no reader of keys or paths takes for something else. */
export function safeName(name: string): string {
  return encodeURIComponent(name)
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^\.+$/, (dots) => '%2E'.repeat(dots.length));
}

/** Undefined: there is no table. @throws unprocessable for one that is not ours, or newer than this version. */
export async function readManifest(
  store: ObjectStore,
  folder: string,
): Promise<{ manifest: Manifest; etag: string } | undefined> {
  const key = `${folder}${manifestName}`;
  const found = await store.text(key);
  if (found === undefined) return undefined;
  const manifest = parsed(found.text);
  if (manifest !== undefined) return { manifest, etag: found.etag };
  const reason = `${key} was not written by this version of Tidemark: move it away, or give the sync a folder of its own`;
  throw new TidemarkError('unprocessable', { reason });
}

function parsed(text: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(text) as Manifest;
    return manifest.tidemark === 1 || manifest.tidemark === 2 ? manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Makes a load's files the table. @param replaces the etag of the manifest that was there when it began. */
export async function commitManifest(
  store: ObjectStore,
  folder: string,
  manifest: Manifest,
  replaces: string | null,
): Promise<void> {
  try {
    await store.write(`${folder}${manifestName}`, `${JSON.stringify(manifest, null, 1)}\n`, replaces);
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    // The answer to a write may be lost, and its second try find the first.
    if ((await readManifest(store, folder))?.manifest.load === manifest.load) return;
    const reason = `Another execution has loaded ${manifest.schema}.${manifest.name} meanwhile: give each sync a folder of its own`;
    throw new TidemarkError('unprocessable', { reason }, { cause: error });
  }
}

/** @param load names this load among those of its execution. */
export function manifestOf(
  output: BulkOutput,
  writer: {
    format: OutputFormat;
    generation: string;
    columns: readonly FileColumn[];
    partitionBy: string | undefined;
  },
  { files, lists = [] }: Pick<Manifest, 'files' | 'lists'>,
  position: JsonObject,
  load: string,
): Manifest {
  const { format, generation, columns, partitionBy } = writer;
  return {
    tidemark: lists.length === 0 ? 1 : 2,
    schema: output.schema,
    name: output.name,
    format,
    generation,
    load,
    committedAt: new Date().toISOString(),
    ...sizeOf([...lists, ...files]),
    columns: [...columns],
    primaryKey: keyColumns(output),
    ...(partitionBy === undefined ? {} : { partitionBy }),
    position,
    files,
    ...(lists.length === 0 ? {} : { lists }),
  };
}

/** The key's names in the output. */
export function keyColumns({ primaryKey, columns }: BulkOutput): string[] {
  return primaryKey.map((key) => columns.find(({ name }) => name === key)?.outputName ?? key);
}

/** Names a table among those of all stores. */
export function originOf({ endpoint, bucket }: Place, folder: string): string {
  return `${endpoint}/${bucket}/${folder}`;
}
