import { ByteWriter } from '../lib/byte-writer.ts';
import type { EndedBytes } from '../lib/ended-bytes.ts';
import { type JsonWriter, jsonWriter } from '../lib/json-bytes.ts';
import { jsonText } from '../lib/pg-text.ts';
import { type Member, objectText } from './members.ts';
import { PackedLine } from './packed-line.ts';
import type { PlannedBatch } from './planned-batch.ts';

/** A piece of every object: what is the same in all, then a value. */
interface Piece {
  before: Buffer;
  place: number | undefined;
  write: JsonWriter;
}

/** Makes the objects of `objectText` from the bytes in which records are planned. */
export class ObjectWriter {
  readonly #members: readonly Member[];
  readonly #pieces: Piece[] = [];
  readonly #after: Buffer;
  readonly #line = new PackedLine();

  constructor(members: readonly Member[]) {
    this.#members = members;
    let fixed = '{';
    for (const [index, member] of members.entries()) {
      const { name, place } = member;
      fixed += `${index === 0 ? '' : ','}${JSON.stringify(name)}:`;
      if (typeof place === 'string') {
        fixed += jsonText(place, member);
        continue;
      }
      this.#pieces.push({ before: Buffer.from(fixed), place, write: jsonWriter(member) });
      fixed = '';
    }
    this.#after = Buffer.from(`${fixed}}`);
  }

  /** @param places of the records in the batch. @param out is written anew. */
  write(batch: PlannedBatch, places: Iterable<number>, out = new ByteWriter(batch.lines.length)): EndedBytes {
    out.clear();
    const ends: number[] = [];
    this.add(batch, places, out, ends);
    return { bytes: out.written(), ends };
  }

  /** Behind what was written. @param ends gets where each object ends. */
  add(batch: PlannedBatch, places: Iterable<number>, out: ByteWriter, ends: number[]): void {
    const { lines } = batch;
    const line = this.#line;
    for (const index of places) {
      out.copy(between);
      if (line.read(batch, index)) this.#writeObject(out, lines);
      else out.text(objectText(this.#members, batch.record(index)));
      ends.push(out.at);
    }
  }

  #writeObject(out: ByteWriter, lines: Buffer): void {
    const line = this.#line;
    for (const { before, place, write } of this.#pieces) {
      out.copy(before);
      if (place === undefined) write(out, lines, line.keyStart, line.keyEnd);
      else if (line.isNull(lines, place)) out.copy(nullText);
      else write(out, lines, line.starts[place] ?? 0, line.ends[place] ?? 0);
    }
    out.copy(this.#after);
  }
}

/** What stands before every object. */
export const between = Buffer.from(',\n');
const nullText = Buffer.from('null');
