import { Readable } from 'node:stream';
import type { ObjectStore } from '../connectors/index.ts';
import { notFound } from '../errors.ts';
import type { Located, RecordLogStore } from './record-log-store.ts';

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
        async append(text) {
          await objects.write(keyOf(execution, filename, parts + 1), text);
          parts++;
        },
        close: async () => {},
      };
    },
    async read(execution, { filename, parts }) {
      const first = await objects.text(keyOf(execution, filename, 1));
      if (first === undefined) throw notFound('record log', filename);
      async function* all(text: string) {
        yield Buffer.from(text);
        for (let part = 2; part <= (parts ?? 0); part++) {
          const next = await objects.text(keyOf(execution, filename, part));
          if (next === undefined) throw new Error(`part ${part} of record log ${filename} is gone`);
          yield Buffer.from(next.text);
        }
      }
      return Readable.from(all(first.text));
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
