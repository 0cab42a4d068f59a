import type { KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { copyRows, type Session } from '../db/index.ts';
import { pack } from '../lib/packed-record.ts';

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
  const count = await copyRows(session, stagedKeys, batches, ({ key, hash, problem = null }) => [
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
  return copyRows(session, table, batches, ({ key, hash, values, problem = null }) => [
    String(++n),
    key,
    hash,
    pack(values),
    problem,
  ]);
}

export const recordColumns =
  'n bigint not null, record_key text collate "C", hash bigint not null, record text not null, problem text';
