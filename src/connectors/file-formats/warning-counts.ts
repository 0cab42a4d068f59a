import type { ValueWarning } from '../contract.ts';

/** Values that were changed on the way, counted by column and rule. */
export class WarningCounts {
  readonly #counts = new Map<string, ValueWarning>();

  add(column: string, rule: string, count = 1): void {
    if (count === 0) return;
    const key = `${rule}\0${column}`;
    const warning = this.#counts.get(key) ?? { column, rule, count: 0 };
    warning.count += count;
    this.#counts.set(key, warning);
  }

  list(): ValueWarning[] {
    return [...this.#counts.values()];
  }
}
