import { eachLimited } from '../../lib/each-limited.ts';
import { manifestName } from './manifest.ts';
import type { ObjectStore } from './store.ts';

const files = String.raw`(?:part|merged)-[0-9a-f]{8}-[^/]+\.(?:parquet|csv|jsonl)$`;

/** What loads write below a table's folder: nothing else there is ever removed unless that is asked for. */
const own = [
  new RegExp(`^data/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/(?:.*/)?${files}`),
  new RegExp(`^latest/(?:.*/)?${files}`),
  /^_loads\/[^/]+\/[^/]+$/,
  /^_manifest\.json$/,
];

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

export async function removeStrangers(store: ObjectStore, folder: string): Promise<void> {
  const keys = await Array.fromAsync(strangerKeys(store, folder));
  await eachLimited(keys, concurrency, (key) => store.remove(key));
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
