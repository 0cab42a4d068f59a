import type { ByteWriter } from '../lib/byte-writer.ts';
import { type JsonWriter, jsonWriter } from '../lib/json-bytes.ts';
import { jsonText } from '../lib/pg-text.ts';
import type { Member } from './members.ts';
import type { PlannedBatch } from './planned-batch.ts';
import { PlannedLine } from './planned-line.ts';

/** A piece of every object: what is the same in all, then a value. */
interface Piece {
  before: Buffer;
  place: number | undefined;
  write: JsonWriter;
}

/** Makes the objects of `objectText` from the bytes in which records are planned. */
export class ObjectWriter {
  readonly #pieces: Piece[] = [];
  readonly #after: Buffer;
  readonly #line = new PlannedLine();

  constructor(members: readonly Member[]) {
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

  /** Writes the object of the record at a place in the batch. */
  write(batch: PlannedBatch, index: number, out: ByteWriter): void {
    const { lines } = batch;
    const line = this.#line;
    line.read(batch, index);
    for (const { before, place, write } of this.#pieces) {
      out.copy(before);
      const start = place === undefined ? line.keyStart : line.start(place);
      if (start === undefined) {
        out.copy(nullText);
        continue;
      }
      const end = write(out, lines, start, line.end);
      if (place !== undefined) line.endsAt(place, end);
    }
    out.copy(this.#after);
  }
}

const nullText = Buffer.from('null');
