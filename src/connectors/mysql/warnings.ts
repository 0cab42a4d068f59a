import type { ValueWarning } from '../contract.ts';

/** Counts of values that were changed, by column and rule. */
export class Warnings {
  readonly #counts = new Map<string, ValueWarning>();

  add(column: string, rule: string, count = 1): void {
    const key = `${rule} ${column}`;
    const warning = this.#counts.get(key) ?? { column, rule, count: 0 };
    this.#counts.set(key, { ...warning, count: warning.count + count });
  }

  get list(): ValueWarning[] {
    return [...this.#counts.values()].filter(({ count }) => count > 0);
  }
}
