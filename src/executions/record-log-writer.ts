import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { Transaction } from '../db/index.ts';
import type { Execution, RecordLogType } from './contract.ts';
import { recordLogPath } from './record-logs.ts';

/** A file is closed once it holds this much: people open these files in editors. */
const maxRecords = 10_000;
const maxBytes = 8 * 1024 * 1024;

interface OpenFile {
  filename: string;
  handle: FileHandle;
  bytes: number;
  records: number;
}

/**
 * Writes the record logs of one claim. Entries are buffered until `flush` puts them on disk; `acknowledge`
 * then records in the progress transaction how far each file counts. Were the order the other way round, a
 * crash could leave acknowledged bytes that do not exist. A worker that takes over opens files of its own, so
 * it never appends behind a torn tail.
 */
export class RecordLogWriter {
  readonly #folder: string;
  readonly #execution: Execution;
  #pending = new Map<RecordLogType, string[]>();
  readonly #open = new Map<RecordLogType, OpenFile>();
  /** State of every file touched since the last acknowledged flush. */
  #touched = new Map<string, { type: RecordLogType; bytes: number; records: number; closed: boolean }>();

  constructor(folder: string, execution: Execution) {
    this.#folder = folder;
    this.#execution = execution;
  }

  append(type: RecordLogType, entry: string): void {
    const entries = this.#pending.get(type);
    if (entries === undefined) this.#pending.set(type, [entry]);
    else entries.push(entry);
  }

  async flush(): Promise<void> {
    // Taken whole: what is appended while this writes belongs to the next flush.
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [type, entries] of pending) {
      for (let start = 0; start < entries.length; ) start += await this.#write(type, entries, start);
    }
  }

  async acknowledge(tx: Transaction): Promise<void> {
    for (const [filename, { type, ...state }] of this.#touched) {
      await tx
        .insertInto('record_log_files')
        .values({ execution_id: this.#execution.id, type, filename, ...state })
        .onConflict((conflict) => conflict.columns(['execution_id', 'type', 'filename']).doUpdateSet(state))
        .execute();
    }
  }

  /** After the transaction of `acknowledge` has committed. */
  acknowledged(): void {
    this.#touched = new Map();
  }

  /** Closes the file handles; open arrays get their bracket when they are served. */
  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(files.map((file) => file.handle.close()));
  }

  /** Writes as many entries from `start` as the open file may still hold, one at least. Returns how many. */
  async #write(type: RecordLogType, all: readonly string[], start: number): Promise<number> {
    const file = this.#open.get(type) ?? (await this.#create(type));
    let bytes = file.bytes;
    let end = start;
    do bytes += Buffer.byteLength(all[end++] ?? '') + 2;
    while (end < all.length && file.records + end - start < maxRecords && bytes < maxBytes);
    const entries = all.slice(start, end);
    const text = `${file.records === 0 ? '[\n' : ',\n'}${entries.join(',\n')}`;
    const full = file.records + entries.length >= maxRecords || bytes >= maxBytes;
    const chunk = Buffer.from(full ? `${text}\n]\n` : text);
    await file.handle.appendFile(chunk);
    file.bytes += chunk.length;
    file.records += entries.length;
    this.#touched.set(file.filename, { type, bytes: file.bytes, records: file.records, closed: full });
    if (full) {
      this.#open.delete(type);
      await file.handle.close();
    }
    return entries.length;
  }

  async #create(type: RecordLogType): Promise<OpenFile> {
    const filename = `log${Math.floor(Date.now() / 1000)}-${crypto.randomUUID()}.json`;
    const target = recordLogPath(this.#folder, this.#execution, type, filename);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    const file = { filename, handle: await open(target, 'ax', 0o600), bytes: 0, records: 0 };
    this.#open.set(type, file);
    return file;
  }
}
