import type { BatchRefused } from '../connectors/index.ts';

interface Cuttable<Batch> {
  readonly length: number;
  slice(from: number, to: number): Batch;
}

/** The parts to try next: halves, unless the destination said which record it was; then that one, and what is beside it. */
export function splitRefused<Batch extends Cuttable<Batch>>(
  records: Batch,
  { place }: BatchRefused,
): Batch[] {
  const cuts = place !== undefined && place < records.length ? [place, place + 1] : [records.length >> 1];
  const parts = [0, ...cuts].map((cut, index) => records.slice(cut, cuts[index] ?? records.length));
  return parts.filter((part) => part.length > 0);
}
