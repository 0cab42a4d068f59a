import type { KeyAndHash, SourceRecord } from '../connectors/index.ts';
import type { Session } from '../db/index.ts';
import { type CopyRow, encodeCopyText } from '../lib/copy-text.ts';
import { pack } from './packed-record.ts';

/** Milliseconds after which a COPY ends and the next begins: an open transaction keeps dead rows of every table. */
const longestCopy = 2_000;

/** Temporary tables, so that PostgreSQL does the set work and memory here stays flat. */
export const stagedKeys = 'pg_temp.staged_keys';
export const stagedRecords = 'pg_temp.staged_records';

/** Stages every record's key and hash. @returns how many. */
export async function stageKeys(
  session: Session,
  batches: AsyncIterable<readonly KeyAndHash[]>,
): Promise<number> {
  await session.query(
    `create temporary table staged_keys (record_key text collate "C", hash bigint not null, problem text)`,
  );
  const count = await copyAll(session, stagedKeys, batches, ({ key, hash, problem = null }) => [
    key,
    hash,
    problem,
  ]);
  await session.query(`analyze ${stagedKeys}`);
  return count;
}

/** Stages full records, the n-th with n. @param table of `recordColumns`. @returns how many. */
export function stageRecords(
  session: Session,
  table: string,
  batches: AsyncIterable<readonly SourceRecord[]>,
): Promise<number> {
  let n = 0;
  return copyAll(session, table, batches, ({ key, hash, values, problem = null }) => [
    String(++n),
    key,
    hash,
    pack(values),
    problem,
  ]);
}

export const recordColumns =
  'n bigint not null, record_key text collate "C", hash bigint not null, record text not null, problem text';

async function copyAll<Row>(
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
