import { rm, stat } from 'node:fs/promises';
import type { TempFolder } from '../../lib/temp-folder.ts';

/** Bytes of files that nobody is reading that are kept for the next read. */
const budget = 1024 ** 3;

export interface CachedFile extends AsyncDisposable {
  path: string;
}

interface Held {
  path: Promise<string>;
  size: number;
  readers: number;
}

/** Files fetched from elsewhere: one copy each, removed when room is needed and nobody reads it. */
export class FileCache {
  readonly #folder: () => Promise<TempFolder>;
  /** In the order of their last use. */
  readonly #held = new Map<string, Held>();

  constructor(folder: () => Promise<TempFolder>) {
    this.#folder = folder;
  }

  /**
   * The file, for as long as it is not disposed of.
   *
   * @param version names one version of one file. @param fetch writes it to a path.
   */
  async open(version: string, fetch: (path: string) => Promise<void>): Promise<CachedFile> {
    const held = this.#held.get(version) ?? { path: this.#fetched(version, fetch), size: 0, readers: 0 };
    this.#held.delete(version);
    this.#held.set(version, held);
    held.readers++;
    const close = async () => {
      held.readers--;
      await this.#makeRoom();
    };
    try {
      return { path: await held.path, [Symbol.asyncDispose]: close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  async #fetched(version: string, fetch: (path: string) => Promise<void>): Promise<string> {
    const path = (await this.#folder()).file();
    try {
      await fetch(path);
      const held = this.#held.get(version);
      if (held !== undefined) held.size = (await stat(path)).size;
      return path;
    } catch (error) {
      this.#held.delete(version);
      await rm(path, { force: true });
      throw error;
    }
  }

  async #makeRoom(): Promise<void> {
    const idle = [...this.#held].filter(([, { readers }]) => readers === 0);
    let size = idle.reduce((total, [, held]) => total + held.size, 0);
    for (const [version, held] of idle) {
      if (size <= budget) return;
      size -= held.size;
      this.#held.delete(version);
      await rm(await held.path, { force: true });
    }
  }
}
