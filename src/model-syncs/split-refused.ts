import type { BatchRefused } from '../connectors/index.ts';

/** The parts to try next: halves, unless the destination said which record it was; then that one, and what is beside it. */
export function splitRefused<Item>(records: readonly Item[], { place }: BatchRefused): Item[][] {
  const cuts = place !== undefined && place in records ? [place, place + 1] : [records.length >> 1];
  const parts = [0, ...cuts].map((cut, index) => records.slice(cut, cuts[index] ?? records.length));
  return parts.filter((part) => part.length > 0);
}
