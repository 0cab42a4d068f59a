import { mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { notFound } from '../errors.ts';
import type { Located, RecordLogStore } from './record-log-store.ts';

/** Record logs as files of a folder that the server and all workers share. */
export function folderLogs(folder: string): Required<RecordLogStore> {
  const folderOf = ({ organizationId, id }: Located) => path.join(folder, organizationId, id);
  return {
    async create(execution, filename) {
      await mkdir(folderOf(execution), { recursive: true, mode: 0o700 });
      const handle = await open(path.join(folderOf(execution), filename), 'ax', 0o600);
      return {
        parts: null,
        async append(...pieces) {
          for (const piece of pieces) await handle.appendFile(piece);
        },
        close: () => handle.close(),
      };
    },
    async read(execution, { filename, bytes }) {
      const handle = await open(path.join(folderOf(execution), filename)).catch((error: unknown) => {
        throw isMissing(error) ? notFound('record log', filename) : error;
      });
      return handle.createReadStream({ end: bytes - 1 });
    },
    async sweep(execution, kept) {
      const names = new Set(kept.flatMap(({ filename, parts }) => (parts === null ? filename : [])));
      if (names.size === 0) return rm(folderOf(execution), { recursive: true, force: true });
      const there = await readdir(folderOf(execution)).catch((error: unknown) => {
        if (isMissing(error)) return [];
        throw error;
      });
      for (const name of there) {
        if (!names.has(name)) await rm(path.join(folderOf(execution), name), { force: true });
      }
    },
  };
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';
