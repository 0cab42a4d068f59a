import type { Transaction } from '../db/index.ts';
import { messageOf } from '../errors.ts';
import { joinEnded } from '../lib/ended-bytes.ts';
import type { Execution, HeldLogs, LogEntries, RecordLogType } from './contract.ts';
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
  #pending = new Map<string, (string | LogEntries)[]>();
  readonly #open = new Map<string, OpenFile>();
  /** State of every file touched since the last acknowledged flush, by its name. */
  #touched = new Map<string, HeldLogs[number]>();

  constructor(store: RecordLogStore, execution: Execution) {
    this.#store = store;
    this.#execution = execution;
  }

  append(types: readonly RecordLogType[], entry: string): void {
    this.#add(types, entry);
  }

  appendAll(types: readonly RecordLogType[], entries: LogEntries): void {
    if (entries.ends.length > 0) this.#add(types, entries);
  }

  #add(types: readonly RecordLogType[], added: string | LogEntries): void {
    if (this.#store.create === undefined) return;
    const key = types.join(' ');
    const pending = this.#pending.get(key);
    if (pending === undefined) this.#pending.set(key, [added]);
    else pending.push(added);
  }

  async flush(): Promise<void> {
    // Taken whole: what is appended while this writes belongs to the next flush.
    const pending = this.#pending;
    this.#pending = new Map();
    try {
      for (const [key, added] of pending) {
        const entries = joinEnded(added.map(bytesOf));
        for (let start = 0; start < entries.ends.length; ) start += await this.#write(key, entries, start);
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

  /** Writes as many entries from the `start`-th as the open file may still hold, one at least. Returns how many. */
  async #write(key: string, { bytes, ends }: LogEntries, start: number): Promise<number> {
    const file = this.#open.get(key) ?? (await this.#create(key));
    const from = ends[start - 1] ?? 0;
    const sizeWith = (end: number) => file.bytes + (ends[end - 1] ?? 0) - from;
    let end = start;
    do end++;
    while (end < ends.length && file.records + end - start < maxRecords && sizeWith(end) < maxBytes);
    const full = file.records + end - start >= maxRecords || sizeWith(end) >= maxBytes;
    const entries = bytes.subarray(from, ends[end - 1]);
    entries.write(file.records === 0 ? '[\n' : ',\n');
    const pieces = full ? [entries, closing] : [entries];
    await file.log.append(...pieces);
    for (const { length } of pieces) file.bytes += length;
    file.records += end - start;
    const { filename, bytes: size, records } = file;
    const { parts } = file.log;
    const types = key.split(' ') as RecordLogType[];
    this.#touched.set(filename, { filename, types, bytes: size, parts, records, closed: full });
    if (full) {
      this.#open.delete(key);
      await file.log.close();
    }
    return end - start;
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

const closing = Buffer.from('\n]\n');

function bytesOf(entry: string | LogEntries): LogEntries {
  if (typeof entry === 'object') return entry;
  const bytes = Buffer.from(`,\n${entry}`);
  return { bytes, ends: [bytes.length] };
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
