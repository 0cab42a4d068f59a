import { open } from 'node:fs/promises';
import { TidemarkError } from '../../errors.ts';
import type { ObjectStore, StoredObject } from './store.ts';

/** Bytes of an object's end that usually hold all of its footer, and the most that are fetched. */
const usualFooter = 64 * 1024;
const longestFooter = 64 * 1024 * 1024;

/**
 * A file that has of a Parquet object nothing but its end, which says what its columns are. The rest is a hole, so
 * that a big object costs no more than a small one.
 */
export async function fetchFooter(store: ObjectStore, object: StoredObject, path: string): Promise<void> {
  let end = await store.part(object, -usualFooter);
  const length =
    end.length < 12 || end.toString('latin1', end.length - 4) !== 'PAR1'
      ? undefined
      : end.readUInt32LE(end.length - 8);
  if (length === undefined || length > longestFooter || length + 12 > object.size) {
    throw new TidemarkError('unprocessable', { reason: `${object.key} is no Parquet file` });
  }
  if (length + 8 > end.length) end = await store.part(object, -(length + 8));
  await using file = await open(path, 'w', 0o600);
  await file.truncate(object.size);
  await file.write('PAR1', 0);
  await file.write(end, 0, end.length, object.size - end.length);
}
