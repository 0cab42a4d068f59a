import type { Transaction } from '../db/index.ts';
import { messageOf } from '../errors.ts';
import type { Execution, HeldLogs, RecordLogType } from './contract.ts';
import type { OpenLog, RecordLogStore } from './record-log-store.ts';

/** A file is closed once it holds this much: people open these files in editors. */
const maxRecords = 10_000;
const maxBytes = 8 * 1024 * 1024;

interface OpenFile {
  filename: string;
  log: OpenLog;
  bytes: number;
  records: number;
}

/**
 * Writes the record logs of one claim. Entries are buffered until `flush` puts them on disk; `acknowledgeLogs`
 * then records in the progress transaction how far each file counts. Were the order the other way round, a
 * crash could leave acknowledged bytes that do not exist. A worker that takes over opens files of its own, so
 * it never appends behind a torn tail.
 *
 * Entries that several logs have alike are written once, to a file that is listed in each of them.
 */
export class RecordLogWriter {
  readonly #store: RecordLogStore;
  readonly #execution: Execution;
  /** By the types that share them, e.g. `records inserts`. */
  #pending = new Map<string, string[]>();
  readonly #open = new Map<string, OpenFile>();
  /** State of every file touched since the last acknowledged flush, by its name. */
  #touched = new Map<string, HeldLogs[number]>();

  constructor(store: RecordLogStore, execution: Execution) {
    this.#store = store;
    this.#execution = execution;
  }

  append(types: readonly RecordLogType[], entry: string): void {
    if (this.#store.create === undefined) return;
    const key = types.join(' ');
    const entries = this.#pending.get(key);
    if (entries === undefined) this.#pending.set(key, [entry]);
    else entries.push(entry);
  }

  async flush(): Promise<void> {
    // Taken whole: what is appended while this writes belongs to the next flush.
    const pending = this.#pending;
    this.#pending = new Map();
    try {
      for (const [key, entries] of pending) {
        for (let start = 0; start < entries.length; ) start += await this.#write(key, entries, start);
      }
    } catch (cause) {
      // Whoever goes on all the same does not write behind a torn tail.
      await this.close().catch(() => {});
      throw new Error(`The record logs could not be written: ${messageOf(cause)}`, { cause });
    }
  }

  held(): HeldLogs {
    return [...this.#touched.values()];
  }

  /** After the transaction that counts what is held has committed. */
  acknowledged(): void {
    this.#touched = new Map();
  }

  async drop(): Promise<void> {
    this.#pending = new Map();
    this.#touched = new Map();
    await this.close();
  }

  /** Closes the files; open arrays get their bracket when they are served. */
  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(files.map(({ log }) => log.close()));
  }

  /** Writes as many entries from `start` as the open file may still hold, one at least. Returns how many. */
  async #write(key: string, all: readonly string[], start: number): Promise<number> {
    const file = this.#open.get(key) ?? (await this.#create(key));
    let bytes = file.bytes;
    let end = start;
    do bytes += Buffer.byteLength(all[end++] ?? '') + 2;
    while (end < all.length && file.records + end - start < maxRecords && bytes < maxBytes);
    const entries = all.slice(start, end);
    const text = `${file.records === 0 ? '[\n' : ',\n'}${entries.join(',\n')}`;
    const full = file.records + entries.length >= maxRecords || bytes >= maxBytes;
    const added = full ? `${text}\n]\n` : text;
    await file.log.append(added);
    file.bytes += Buffer.byteLength(added);
    file.records += entries.length;
    const { filename, bytes: size, records } = file;
    const { parts } = file.log;
    const types = key.split(' ') as RecordLogType[];
    this.#touched.set(filename, { filename, types, bytes: size, parts, records, closed: full });
    if (full) {
      this.#open.delete(key);
      await file.log.close();
    }
    return entries.length;
  }

  async #create(key: string): Promise<OpenFile> {
    const filename = `log${Math.floor(Date.now() / 1000)}-${crypto.randomUUID()}.json`;
    const log = await this.#store.create?.(this.#execution, filename);
    if (log === undefined) throw new Error('nothing is recorded');
    const file = { filename, log, bytes: 0, records: 0 };
    this.#open.set(key, file);
    return file;
  }
}

export async function acknowledgeLogs(tx: Transaction, executionId: string, logs: HeldLogs): Promise<void> {
  const rows = logs.flatMap(({ types, ...file }) =>
    types.map((type) => ({ execution_id: executionId, type, ...file })),
  );
  if (rows.length === 0) return;
  await tx
    .insertInto('record_log_files')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['execution_id', 'type', 'filename']).doUpdateSet((set) => ({
        bytes: set.ref('excluded.bytes'),
        parts: set.ref('excluded.parts'),
        records: set.ref('excluded.records'),
        closed: set.ref('excluded.closed'),
      })),
    )
    .execute();
}
