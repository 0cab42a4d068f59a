import { Readable } from 'node:stream';
import type { ObjectStore } from '../connectors/index.ts';
import { notFound } from '../errors.ts';
import type { Located, RecordLogStore } from './record-log-store.ts';

/** Small batches make many small parts. */
const partsAtATime = 8;

/**
 * Record logs in a bucket. An object cannot be appended to, so a file is parts, `<filename>/<n>`, n from 1: what one
 * commit adds is one object, written before the commit that makes it count.
 *
 * @param prefix of all keys: empty, or with a slash at its end.
 */
export function objectLogs(objects: ObjectStore, prefix: string): Required<RecordLogStore> {
  const folderOf = ({ organizationId, id }: Located) => `${prefix}${organizationId}/${id}/`;
  const keyOf = (execution: Located, filename: string, part: number) =>
    `${folderOf(execution)}${filename}/${part}`;
  return {
    async create(execution, filename) {
      let parts = 0;
      return {
        get parts() {
          return parts;
        },
        async append(...pieces) {
          await objects.write(keyOf(execution, filename, parts + 1), pieces.join(''));
          parts++;
        },
        close: async () => {},
      };
    },
    async read(execution, { filename, parts }) {
      const part = async (n: number) => {
        const object = await objects.text(keyOf(execution, filename, n));
        if (object === undefined) throw notFound('record log', filename);
        return Buffer.from(object.text);
      };
      async function* all(first: Buffer) {
        yield first;
        for (let n = 2; n <= (parts ?? 0); n += partsAtATime) {
          const count = Math.min(partsAtATime, (parts ?? 0) + 1 - n);
          yield* await Promise.all(Array.from({ length: count }, (_, index) => part(n + index)));
        }
      }
      // Before anything is answered: whether it is there.
      return Readable.from(all(await part(1)));
    },
    async sweep(execution, kept) {
      const folder = folderOf(execution);
      const counted = new Map(kept.map(({ filename, parts }) => [filename, parts ?? 0]));
      for await (const { key } of objects.list(folder)) {
        const [filename = '', part] = key.slice(folder.length).split('/');
        if (Number(part) <= (counted.get(filename) ?? 0)) continue;
        await objects.remove(key);
      }
    },
  };
}
