import type { LogEntries } from '../executions/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { type JsonWriter, jsonWriter } from '../lib/json-bytes.ts';
import { jsonText } from '../lib/pg-text.ts';
import { PackedLine } from './packed-line.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { recordEntry } from './record-entries.ts';
import type { Task } from './task.ts';

/** A piece of every entry: what is the same in all, then a value; `place` -1 is the key. */
interface Piece {
  before: Buffer;
  place: number;
  write: JsonWriter;
}

/** Makes the entries of `recordEntry` from the bytes in which records are planned. */
export class EntryWriter {
  readonly #task: Task;
  readonly #pieces: Piece[] = [];
  readonly #after: Buffer;
  readonly #line = new PackedLine();

  constructor(task: Task) {
    this.#task = task;
    let fixed = '';
    let separator = '{';
    const name = (text: string) => {
      fixed += `${separator}${JSON.stringify(text)}:`;
      separator = ',';
    };
    const piece = (place: number, write: JsonWriter) => {
      this.#pieces.push({ before: Buffer.from(fixed), place, write });
      fixed = '';
    };
    if (task.target.identity !== undefined && !task.names.includes(task.identityName)) {
      name(task.identityName);
      piece(-1, jsonWriter({ type: 'string', remoteType: 'text' }));
    }
    for (const [index, { source }] of task.target.fields.entries()) {
      const place = task.places[index] ?? 0;
      name(task.names[index] ?? '');
      if (typeof place === 'string') fixed += jsonText(place, source);
      else piece(place, jsonWriter(source));
    }
    this.#after = Buffer.from(`${separator === '{' ? separator : fixed}}`);
  }

  /** @param places of the records in the batch. @param out is written anew. */
  write(
    batch: PlannedBatch,
    places: readonly number[],
    out = new ByteWriter(256 * places.length),
  ): LogEntries {
    const { lines } = batch;
    const line = this.#line;
    out.clear();
    const ends: number[] = [];
    for (const index of places) {
      out.copy(between);
      if (line.read(batch, index)) this.#writeEntry(out, lines);
      else out.text(recordEntry(this.#task, batch.record(index)));
      ends.push(out.at);
    }
    return { bytes: out.written(), ends };
  }

  #writeEntry(out: ByteWriter, lines: Buffer): void {
    const line = this.#line;
    for (const { before, place, write } of this.#pieces) {
      out.copy(before);
      if (place < 0) write(out, lines, line.keyStart, line.keyEnd);
      else if (line.isNull(lines, place)) out.copy(nullText);
      else write(out, lines, line.starts[place] ?? 0, line.ends[place] ?? 0);
    }
    out.copy(this.#after);
  }
}

const between = Buffer.from(',\n');
const nullText = Buffer.from('null');
