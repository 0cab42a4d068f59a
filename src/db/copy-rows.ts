import { type CopyRow, encodeCopyText } from '../lib/copy-text.ts';
import type { Session } from './session.ts';

/** Milliseconds after which a COPY ends and the next begins: an open transaction keeps dead rows of every table. */
const longestCopy = 2_000;

/** Writes lines of COPY text to a table. @param lines whole ones in every chunk. @returns how many. */
export async function copyLines(
  session: Session,
  table: string,
  lines: AsyncGenerator<string | Buffer>,
): Promise<number> {
  let count = 0;
  let done = false;
  async function* linesUntil(until: number) {
    while (performance.now() < until) {
      const next = await lines.next();
      if (next.done) {
        done = true;
        return;
      }
      if (next.value.length > 0) yield next.value;
    }
  }
  try {
    while (!done) {
      const chunks = linesUntil(performance.now() + longestCopy);
      count += await session.copyIn(`copy ${table} from stdin`, chunks);
    }
  } finally {
    await lines.return(undefined);
  }
  return count;
}

/** Writes batches to a table, each row as `columns` says. @returns how many. */
export function copyRows<Row>(
  session: Session,
  table: string,
  batches: AsyncIterable<readonly Row[]>,
  columns: (row: Row) => CopyRow,
): Promise<number> {
  async function* encoded() {
    for await (const rows of batches) yield encodeCopyText(rows.map(columns));
  }
  return copyLines(session, table, encoded());
}
