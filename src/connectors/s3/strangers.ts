import { eachLimited } from '../../lib/each-limited.ts';
import { manifestName } from './manifest.ts';
import { formatOf } from './object-names.ts';
import type { ObjectStore } from './store.ts';

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const files = String.raw`(?:part|merged)-[0-9a-f]{8}-[^/]+\.(?:parquet|csv|jsonl)$`;

/** What loads and model syncs write below a table's folder: nothing else is ever removed unless that is asked for. */
const own = [
  new RegExp(`^data/${uuid}/(?:.*/)?${files}`),
  new RegExp(String.raw`^data/(?:\d+/)?${uuid}/(?:part|kept)(?:-\d+)+\.(?:parquet|csv|jsonl)$`),
  new RegExp(`^latest/(?:.*/)?${files}`),
  new RegExp(String.raw`^_lists/${uuid}\.json$`),
  /^_loads\/[^/]+\/[^/]+$/,
  /^_manifest\.json$/,
];

/** Folders of a table whose files are laid out by a column, as others than Tidemark write them. */
const layout = /^(?:[^/=]+=[^/]*\/)*[^/_.][^/]*$/;

/** Objects that are removed at a time. */
const concurrency = 8;

/** @param path below the folder of a table. */
export function isOwn(path: string): boolean {
  return own.some((pattern) => pattern.test(path));
}

/** What is in a folder that no load has put there, for people. */
export async function strangersIn(store: ObjectStore, folder: string): Promise<string | undefined> {
  for await (const key of strangerKeys(store, folder)) return `${key} is in its folder`;
  return undefined;
}

/**
 * Of what a folder has that no load has put there, whether a reader of it would take it for rows of the table. A text is
 * more often a note or a licence.
 */
function isTableFile(path: string): boolean {
  return layout.test(path) && formatOf(path) !== undefined && !/\.txt(?:\.gz)?$/i.test(path);
}

/**
 * Removes the table that was in a folder: the files that a reader would take for its rows. What else is there stays.
 *
 * @returns what became of it, for people.
 */
export async function removeStrangers(store: ObjectStore, folder: string): Promise<string[]> {
  const keys = await Array.fromAsync(strangerKeys(store, folder));
  const { table = [], other = [] } = Object.groupBy(keys, (key) =>
    isTableFile(key.slice(folder.length)) ? 'table' : 'other',
  );
  await eachLimited(table, concurrency, (key) => store.remove(key));
  return [
    ...(table.length === 0 ? [] : [`removed from its folder, as overwrite says: ${named(table, folder)}`]),
    ...(other.length === 0
      ? []
      : [`left in its folder, since they are no rows of a table: ${named(other, folder)}`]),
  ];
}

const namedAtMost = 10;

function named(keys: readonly string[], folder: string): string {
  const names = keys.slice(0, namedAtMost).map((key) => key.slice(folder.length));
  const more = keys.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The empty objects that stand for folders do not count, nor do other tables in folders below this one. */
async function* strangerKeys(store: ObjectStore, folder: string): AsyncGenerator<string> {
  const tables = new Map<string, Promise<boolean>>();
  const isTable = (below: string) => {
    const known =
      tables.get(below) ?? store.text(`${below}${manifestName}`).then((found) => found !== undefined);
    tables.set(below, known);
    return known;
  };
  const inTable = async (path: string) => {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      if (isOwn(path.slice(at + 1)) || (await isTable(`${folder}${path.slice(0, at + 1)}`))) return true;
    }
    return false;
  };
  for await (const { key, size } of store.list(folder)) {
    const path = key.slice(folder.length);
    if (isOwn(path) || (size === 0 && key.endsWith('/')) || (await inTable(path))) continue;
    yield key;
  }
}
