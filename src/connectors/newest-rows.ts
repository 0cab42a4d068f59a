/** How many rows tell a table from what was loaded in its place: some of them may be deleted meanwhile. */
export const newestRows = 8;
/** Characters that one of them may take in a position. */
const longest = 400;

/** Those that can be looked for again: whole, and short enough to be kept. @param rows values of the key, then of the field. */
export function lasting(rows: readonly (string | null)[][]): string[][] {
  return rows
    .filter((values): values is string[] => !values.includes(null))
    .filter((values) => values.join().length <= longest);
}
