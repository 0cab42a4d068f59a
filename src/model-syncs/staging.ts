import type { Batches, KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { copyLines, copyRows, type Session } from '../db/index.ts';
import { pack } from '../lib/packed-record.ts';
import { wholeLines } from '../lib/whole-lines.ts';
import { withStorableKey } from '../models/index.ts';
import { LinePacker } from './line-packer.ts';

/** Temporary tables, so that PostgreSQL does the set work and memory here stays flat. */
export const stagedKeys = 'pg_temp.staged_keys';
export const stagedRecords = 'pg_temp.staged_records';

/** Stages every record's key and hash. @returns how many. */
export async function stageKeys(session: Session, read: Batches<KeyAndHash>): Promise<number> {
  await session.query(
    `create temporary table staged_keys (record_key text collate "C", hash bigint not null, problem text)`,
  );
  const lines = read.lines?.();
  const count =
    lines === undefined
      ? await copyRows(session, stagedKeys, read, (row) => {
          const { key, hash, problem = null } = withStorableKey(row);
          return [key, hash, problem];
        })
      : await copyLines(session, `${stagedKeys} (record_key, hash)`, wholeLines(lines));
  await session.query(`analyze ${stagedKeys}`);
  return count;
}

/** Stages full records, the n-th with n. @param table of `recordColumns`. @returns how many. */
export function stageRecords(session: Session, table: string, read: Batches<SourceRecord>): Promise<number> {
  const lines = read.lines?.();
  if (lines !== undefined) {
    return copyLines(
      session,
      `${table} (n, record_key, hash, record)`,
      new LinePacker().packed(wholeLines(lines)),
    );
  }
  let n = 0;
  return copyRows(session, table, read, (row) => {
    const { key, hash, values, problem = null } = withStorableKey(row);
    return [String(++n), key, hash, pack(values), problem];
  });
}

export const recordColumns =
  'n bigint not null, record_key text collate "C", hash bigint not null, record text not null, problem text';
