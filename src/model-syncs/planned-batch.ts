import type { KeyAndHash } from '../connectors/index.ts';
import { behindField, behindTab, decodeRow, unescaped } from '../lib/copy-text.ts';
import { joinEnded } from '../lib/ended-bytes.ts';

/** A record to deliver. Of a plan, `n` only ever grows from 1; it has gaps, and below 0 what was set aside. */
export interface PlannedRecord extends KeyAndHash {
  n: number;
  key: string;
  /** In the order of the task's query. */
  values: (string | null)[];
}

/** Objects of records, one behind the other with something in between, that are what the record logs say of them. */
export interface SentObjects {
  bytes: Buffer;
  starts: readonly number[];
  ends: readonly number[];
}

/**
 * A stretch of a plan, one record at least, as the bytes in which it is kept: lines of COPY text with n, key, hash and
 * values.
 */
export class PlannedBatch {
  readonly lines: Buffer;
  /** Places behind each line's newline. */
  readonly ends: readonly number[];
  /** Of its records in their order, as far as they were sent so. */
  sent: readonly SentObjects[] = [];
  #records: readonly PlannedRecord[] | undefined;

  constructor(lines: Buffer, ends: readonly number[] = endsOf(lines)) {
    this.lines = lines;
    this.ends = ends;
  }

  /** @param batches one after the other. */
  static joined(batches: readonly PlannedBatch[]): PlannedBatch {
    const [first] = batches;
    if (first !== undefined && batches.length === 1) return first;
    const { bytes, ends } = joinEnded(batches.map(({ lines, ends }) => ({ bytes: lines, ends })));
    const joined = new PlannedBatch(bytes, ends);
    joined.sent = batches.flatMap(({ sent }) => sent);
    return joined;
  }

  get length(): number {
    return this.ends.length;
  }

  get first(): number {
    return this.n(0);
  }

  get last(): number {
    return this.n(this.length - 1);
  }

  /** Of the record at a place in the batch. */
  n(index: number): number {
    const start = this.start(index);
    return Number(this.lines.toString('latin1', start, this.lines.indexOf(tab, start)));
  }

  /** Where the line of a record begins. */
  start(index: number): number {
    return this.ends[index - 1] ?? 0;
  }

  record(index: number): PlannedRecord {
    const line = this.lines.toString('utf8', this.start(index), (this.ends[index] ?? 0) - 1);
    const [n, key, hash, ...values] = decodeRow(line);
    return { n: Number(n), key: key ?? '', hash: hash ?? '', values };
  }

  /** Of a record, without its values. */
  identity(index: number): { key: string; hash: string } {
    const { lines } = this;
    const start = behindTab(lines, this.start(index));
    const hash = behindTab(lines, start);
    return {
      key: unescaped(lines.toString('utf8', start, hash - 1)),
      hash: lines.toString('latin1', hash, behindField(lines, hash)),
    };
  }

  /** Decoded when they are first asked for. */
  get records(): readonly PlannedRecord[] {
    this.#records ??= this.ends.map((_, index) => this.record(index));
    return this.#records;
  }

  /** Where the first record with this number or a larger one is. */
  placeOf(n: number): number {
    let [from, to] = [0, this.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.n(middle) < n) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** The records with larger numbers. */
  after(n: number): PlannedBatch {
    return this.slice(this.placeOf(n + 1));
  }

  upTo(n: number): PlannedBatch {
    return this.slice(0, this.placeOf(n + 1));
  }

  slice(from: number, to: number = this.length): PlannedBatch {
    const start = this.start(from);
    const lines = this.lines.subarray(start, this.start(Math.min(to, this.length)));
    return new PlannedBatch(
      lines,
      this.ends.slice(from, to).map((end) => end - start),
    );
  }
}

const [tab, newline] = [0x09, 0x0a];

function endsOf(lines: Buffer): number[] {
  const ends: number[] = [];
  for (let at = lines.indexOf(newline); at >= 0; at = lines.indexOf(newline, at + 1)) ends.push(at + 1);
  return ends;
}
