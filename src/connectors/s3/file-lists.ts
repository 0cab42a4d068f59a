import { eachLimited } from '../../lib/each-limited.ts';
import { ConnectionLost } from '../contract.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import type { ObjectStore } from './store.ts';

/** Files of a table that its manifest does not name itself. Written once, never changed. */
export interface FileList {
  /** Below the table's folder. */
  path: string;
  /** How many. */
  files: number;
  rows: number;
  bytes: number;
}

/** Where they are, below the table's folder. */
export const listFolder = '_lists/';

const concurrency = 8;

export async function storeList(
  store: ObjectStore,
  folder: string,
  files: readonly ManifestFile[],
): Promise<FileList> {
  const path = `${listFolder}${crypto.randomUUID()}.json`;
  await store.write(`${folder}${path}`, `${JSON.stringify({ files }, null, 1)}\n`);
  return { path, files: files.length, ...sizeOf(files) };
}

export function sizeOf(parts: readonly { rows: number; bytes: number }[]): { rows: number; bytes: number } {
  const sum = (of: (part: (typeof parts)[number]) => number) =>
    parts.reduce((total, part) => total + of(part), 0);
  return { rows: sum(({ rows }) => rows), bytes: sum(({ bytes }) => bytes) };
}

/** All files of a table, those of its lists first. @throws ConnectionLost when it is loaded anew meanwhile. */
export async function allFiles(
  store: ObjectStore,
  folder: string,
  { files, lists = [] }: Pick<Manifest, 'files' | 'lists'>,
): Promise<ManifestFile[]> {
  const listed: ManifestFile[][] = [];
  await eachLimited(lists.entries(), concurrency, async ([index, { path }]) => {
    const found = await store.text(`${folder}${path}`);
    if (found === undefined) {
      throw new ConnectionLost(`${folder}${path} is gone: the table has been loaded meanwhile`);
    }
    listed[index] = (JSON.parse(found.text) as { files: ManifestFile[] }).files;
  });
  return [...listed.flat(), ...files];
}
