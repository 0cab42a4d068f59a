import { random } from '../support/random.ts';

/** Choices that one seed repeats. */
export interface Dice {
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

export function dice(seed: number): Dice {
  const next = random(seed);
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    chance: (probability) => next() < probability,
    pick(items) {
      const [first] = items;
      const item = items[below(items.length)] ?? first;
      if (item === undefined) throw new Error('there is nothing to pick from');
      return item;
    },
  };
}
