import { eachLimited } from '../../lib/each-limited.ts';
import type { Manifest } from './manifest.ts';
import type { ObjectStore } from './store.ts';
import { isOwn } from './strangers.ts';

/** Objects that are removed or copied at a time. */
const concurrency = 8;
/** Of what S3 lists at a time. */
const page = 1000;

/**
 * Removes what loads and model syncs have written below the folder of a table, and nothing else. A page of the listing
 * after the other: there may be more objects than fit into memory.
 *
 * @param below a folder in it. @param kept keys.
 */
export async function removeBelow(
  store: ObjectStore,
  folder: string,
  below: string,
  kept: ReadonlySet<string> = new Set(),
): Promise<void> {
  const remove = (keys: readonly string[]) => eachLimited(keys, concurrency, (key) => store.remove(key));
  let keys: string[] = [];
  for await (const { key } of store.list(`${folder}${below}`)) {
    if (!kept.has(key) && isOwn(key.slice(folder.length))) keys.push(key);
    if (keys.length < page) continue;
    await remove(keys);
    keys = [];
  }
  await remove(keys);
}

/**
 * The files once more in a folder whose name stays, for readers that follow no manifest: the new ones come before the
 * old ones go, so that for a moment both are there.
 */
export async function copyLatest(store: ObjectStore, folder: string, { files }: Manifest): Promise<void> {
  const latest = `${folder}latest/`;
  const there = new Set(await Array.fromAsync(store.list(latest), ({ key }) => key));
  const copies = files.map(({ path }) => ({
    from: `${folder}${path}`,
    to: `${latest}${path.replace(/^data\/[^/]+\//, '')}`,
  }));
  await eachLimited(
    copies.filter(({ to }) => !there.has(to)),
    concurrency,
    ({ from, to }) => store.copy(from, to),
  );
  const kept = new Set(copies.map(({ to }) => to));
  await removeBelow(store, folder, 'latest/', kept);
}
