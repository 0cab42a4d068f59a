import { BatchRefused } from './contract.ts';

/** Rows that are named at most: where more are refused, something else is wrong. */
const namedAtMost = 1_000;
/** Of so many it is looked whether they are only refused without one another: each such look does all of it. */
const triedAgainAtMost = 30;
/** Rows that the target writes and takes back at most, all attempts together: a minute or two, while its table is locked. */
const writtenAtMost = 20_000_000;

/**
 * Finds the rows for which a replacement is refused in its last step, where triggers, policies and constraints over more
 * than the mapped columns have their say.
 *
 * @param count of the rows, which are numbered from 1.
 * @param refersToItself a row may be in want of another, so that what it is refused for alone says nothing of it.
 * @param attempt does it with some of the rows, and takes all of it back. `chosen` is a condition in SQL over their number
 *   `n`. Returns why it was refused.
 * @returns why, by number; undefined where it is not for single rows, or would take too long to find.
 */
export async function refusedRows(
  count: number,
  refersToItself: boolean,
  attempt: (chosen: string) => Promise<string | undefined>,
): Promise<Map<number, string> | undefined> {
  if ((await attempt('1 = 0')) !== undefined) return undefined;
  const refused = new Map<number, string>();
  let left = writtenAtMost;
  const without = (numbers: Iterable<number>) => `n not in (${[0, ...numbers].join(', ')})`;

  const search = async (from: number, to: number): Promise<void> => {
    left -= to - from + 1;
    if (refused.size > namedAtMost || left < count) return;
    const reason = await attempt(`n between ${from} and ${to}`);
    if (reason === undefined) return;
    if (from === to) {
      refused.set(from, reason);
      return;
    }
    const middle = (from + to) >> 1;
    await search(from, middle);
    await search(middle + 1, to);
  };

  /** Whatever a trigger looks for, a row may have been in want of another. */
  const readmit = async (some: readonly number[]): Promise<void> => {
    const others = [...refused.keys()].filter((n) => !some.includes(n));
    if ((await attempt(without(others))) === undefined) {
      for (const n of some) refused.delete(n);
    } else if (some.length > 1) {
      const middle = some.length >> 1;
      await readmit(some.slice(0, middle));
      await readmit(some.slice(middle));
    }
  };

  await search(1, count);
  if (left < count) return undefined;
  if (refersToItself) {
    for (const [n, reason] of refused) if (/foreign key/i.test(reason)) refused.delete(n);
  }
  if (refused.size === 0 || refused.size > namedAtMost) return undefined;
  const looks = refused.size * 2;
  if (refused.size <= triedAgainAtMost && looks * count < left) await readmit([...refused.keys()]);
  return (await attempt(without(refused.keys()))) === undefined ? refused : undefined;
}

/** Why it is refused, by the error with which it ends. @throws what is no refusal. */
export async function refusalOf(
  apply: () => Promise<void>,
  refusedOr: (error: unknown) => unknown,
): Promise<string | undefined> {
  try {
    await apply();
    return undefined;
  } catch (error) {
    const refused = refusedOr(error);
    if (refused instanceof BatchRefused) return refused.message;
    throw error;
  }
}

/** @param found of records that are added, one that was refused. */
export function refuseAgain([found]: readonly { key: string }[], refused: ReadonlyMap<string, string>): void {
  // Alone, it is the one.
  if (found !== undefined) throw new BatchRefused(refused.get(found.key) ?? 'the target refuses it');
}
