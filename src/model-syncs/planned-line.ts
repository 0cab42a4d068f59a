import { behindTab } from '../lib/copy-text.ts';
import type { PlannedBatch } from './planned-batch.ts';

const [tab, backslash, capitalN] = [0x09, 0x5c, 0x4e];

/** Where things are in a line of a planned batch. Made once, and read into for every line. */
export class PlannedLine {
  keyStart = 0;
  keyEnd = 0;
  /** Where the values begin and end, in the bytes of the batch. */
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** How many there are. */
  count = 0;

  read({ lines, ends }: PlannedBatch, index: number): void {
    this.keyStart = behindTab(lines, ends[index - 1] ?? 0);
    this.keyEnd = behindTab(lines, this.keyStart) - 1;
    const end = (ends[index] ?? 0) - 1;
    const { starts } = this;
    // The hash is the first of what lies between tabs, and no value.
    let count = -1;
    for (let at = this.keyEnd + 1; at < end; at++) {
      if (lines[at] !== tab) continue;
      if (count >= 0) this.ends[count] = at;
      starts[++count] = at + 1;
    }
    if (count >= 0) this.ends[count] = end;
    this.count = count + 1;
  }

  /** @param lines of the batch. */
  isNull(lines: Buffer, place: number): boolean {
    if (place >= this.count) return true;
    const start = this.starts[place] ?? 0;
    return this.ends[place] === start + 2 && lines[start] === backslash && lines[start + 1] === capitalN;
  }
}
