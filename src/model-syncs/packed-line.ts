import { behindTab } from '../lib/copy-text.ts';
import { nullMark, separator } from '../lib/packed-record.ts';
import type { PlannedBatch } from './planned-batch.ts';

/** Before records that are packed as JSON. */
export const jsonMark = 0x1d;

/** Where things are in a line of a planned batch. Made once, and read into for every line. */
export class PackedLine {
  keyStart = 0;
  keyEnd = 0;
  /** Where the values begin and end, in the bytes of the batch. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** How many there are. */
  count = 0;

  /** @returns false for a record whose values hold the characters by which the others are kept apart. */
  read({ lines, ends }: PlannedBatch, index: number): boolean {
    this.keyStart = behindTab(lines, ends[index - 1] ?? 0);
    let at = behindTab(lines, this.keyStart);
    this.keyEnd = at - 1;
    at = behindTab(lines, at);
    if (lines[at] === jsonMark) return false;
    const end = (ends[index] ?? 0) - 1;
    const { starts } = this;
    let count = 0;
    starts[0] = at;
    for (; at < end; at++) {
      if (lines[at] !== separator) continue;
      this.ends[count++] = at;
      starts[count] = at + 1;
    }
    this.ends[count++] = end;
    this.count = count;
    return true;
  }

  /** @param lines of the batch. */
  isNull(lines: Buffer, place: number): boolean {
    if (place >= this.count) return true;
    const start = this.starts[place] ?? 0;
    return lines[start] === nullMark && this.ends[place] === start + 1;
  }
}
