import { behindField, behindTab } from '../lib/copy-text.ts';
import type { PlannedBatch } from './planned-batch.ts';

const [backslash, capitalN] = [0x5c, 0x4e];

/**
 * Where things are in a line of a planned batch. Made once, and read into for every line. Values are looked for as far as
 * they are asked for: who works them off in their order, and says where each ends, has them looked at once.
 */
export class PlannedLine {
  keyStart = 0;
  keyEnd = 0;
  /** Of the line, before its newline. */
  end = 0;
  #lines: Buffer = Buffer.alloc(0);
  readonly #starts: number[] = [];
  /** How many of them are known. */
  #known = 0;

  read(batch: PlannedBatch, index: number): void {
    const { lines } = batch;
    this.#lines = lines;
    this.keyStart = behindTab(lines, batch.start(index));
    const hash = behindTab(lines, this.keyStart);
    this.keyEnd = hash - 1;
    this.end = batch.start(index + 1) - 1;
    this.#known = 0;
    this.endsAt(-1, behindField(lines, hash));
  }

  /** Where the value at a place begins; undefined when it is NULL or there are not so many. */
  start(place: number): number | undefined {
    const lines = this.#lines;
    while (this.#known <= place) {
      const known = this.#known;
      if (known > 0) this.endsAt(known - 1, behindField(lines, this.#starts[known - 1] ?? 0));
      if (this.#known === known) return undefined;
    }
    const start = this.#starts[place] ?? 0;
    return lines[start] === backslash && lines[start + 1] === capitalN ? undefined : start;
  }

  /** The value after it, if there is one, begins behind. */
  endsAt(place: number, end: number): void {
    if (place !== this.#known - 1 || end >= this.end) return;
    this.#starts[this.#known++] = end + 1;
  }
}
