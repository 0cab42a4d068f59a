import { type CopyRow, encodeCopyText } from '../lib/copy-text.ts';
import type { Session } from './session.ts';

/** Milliseconds after which a COPY ends and the next begins: an open transaction keeps dead rows of every table. */
const longestCopy = 2_000;

/** Writes batches to a table, each row as `columns` says. @returns how many. */
export async function copyRows<Row>(
  session: Session,
  table: string,
  batches: AsyncIterable<readonly Row[]>,
  columns: (row: Row) => CopyRow,
): Promise<number> {
  const iterator = batches[Symbol.asyncIterator]();
  let count = 0;
  let done = false;
  async function* lines(until: number) {
    while (performance.now() < until) {
      const next = await iterator.next();
      if (next.done) {
        done = true;
        return;
      }
      count += next.value.length;
      if (next.value.length > 0) yield encodeCopyText(next.value.map(columns));
    }
  }
  try {
    while (!done) await session.copyIn(`copy ${table} from stdin`, lines(performance.now() + longestCopy));
  } finally {
    await iterator.return?.();
  }
  return count;
}
