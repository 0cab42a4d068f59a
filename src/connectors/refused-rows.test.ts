import { expect, test } from 'vitest';
import { refusedRows } from './refused-rows.ts';

/** Refuses every attempt with one of the rows, and counts the rows of all attempts. */
function target(count: number, bad: ReadonlySet<number>) {
  const asked = { rows: 0 };
  const attempt = async (chosen: string) => {
    const [, from, to] = /^n between (\d+) and (\d+)$/.exec(chosen) ?? [];
    const left = /^n not in \((.+)\)$/.exec(chosen)?.[1]?.split(', ').map(Number);
    const included = (n: number) =>
      from !== undefined ? n >= Number(from) && n <= Number(to) : left !== undefined && !left.includes(n);
    asked.rows +=
      from !== undefined ? Number(to) - Number(from) + 1 : left === undefined ? 0 : count - left.length + 1;
    return [...bad].some(included) ? 'refused' : undefined;
  };
  return { asked, attempt };
}

test('each row that is refused is found', async () => {
  const bad = new Set([1, 77, 78, 1000]);
  const { attempt } = target(1000, bad);
  expect(new Set((await refusedRows(1000, false, attempt))?.keys())).toEqual(bad);
});

test('a difference so large that it cannot be tried often is given up before the target has done it fifty times', async () => {
  const every = new Set(Array.from({ length: 500 }, (_, index) => index * 4000 + 1));
  const { asked, attempt } = target(2_000_000, every);
  expect(await refusedRows(2_000_000, false, attempt)).toBeUndefined();
  expect(asked.rows).toBeLessThan(25_000_000);
});

test('rows of a large difference are found without a look at whether they want one another', async () => {
  const bad = new Set([5, 500_000]);
  const { asked, attempt } = target(1_000_000, bad);
  expect(new Set((await refusedRows(1_000_000, false, attempt))?.keys())).toEqual(bad);
  expect(asked.rows).toBeLessThan(8_000_000);
});
