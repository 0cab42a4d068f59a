import type { Batches, KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { copyLines, copyRows, type Database, type Session, withSession } from '../db/index.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { pack } from '../lib/packed-record.ts';
import { countLines, wholeLines } from '../lib/whole-lines.ts';
import { withStorableKey } from '../models/index.ts';
import { LinePacker, type PackedLines } from './line-packer.ts';
import { writePlan } from './planned-records.ts';

/** Temporary tables, so that PostgreSQL does the set work and memory here stays flat. */
export const stagedKeys = 'pg_temp.staged_keys';
export const stagedRecords = 'pg_temp.staged_records';

export async function createStagedKeys(session: Session): Promise<void> {
  await session.query(
    `create temporary table staged_keys (record_key text collate "C", hash bigint not null, n bigint, problem text)`,
  );
}

/** Stages every record's key and hash. @param table with record_key, hash and problem. @returns how many. */
export async function stageKeys(session: Session, table: string, read: Batches<KeyAndHash>): Promise<number> {
  const lines = read.lines?.();
  if (lines !== undefined) return copyLines(session, `${table} (record_key, hash)`, wholeLines(lines));
  return copyRows(session, `${table} (record_key, hash, problem)`, read, (row) => {
    const { key, hash, problem = null } = withStorableKey(row);
    return [key, hash, problem];
  });
}

/** Stages records that may turn out not to be wanted. @returns how many. */
export async function stageRecords(session: Session, read: Batches<SourceRecord>): Promise<void> {
  await session.query(
    `create temporary table if not exists staged_records
       (n bigint not null, record_key text collate "C", hash bigint not null, record text not null, problem text)`,
  );
  const lines = read.lines?.();
  if (lines === undefined) {
    let n = 0;
    await copyRows(session, stagedRecords, read, (row) => {
      const { key, hash, values, problem = null } = withStorableKey(row);
      return [String(++n), key, hash, pack(values), problem];
    });
    return;
  }
  async function* packed(chunks: AsyncIterable<Buffer>) {
    for await (const { records } of new LinePacker().packed(chunks)) yield records;
  }
  await copyLines(session, `${stagedRecords} (n, record_key, hash, record)`, packed(wholeLines(lines)));
}

/**
 * Writes records to a plan, and their numbers, keys and hashes to a table of the session. Nobody knows of either until a
 * checkpoint does, so that no commit on the way has to wait for the disk.
 *
 * @param keys a table with n, record_key, hash and problem.
 * @returns how many.
 */
export async function planRecords(
  { db, session }: { db: Database; session: Session },
  { plan, keys }: { plan: number; keys: string },
  read: Batches<SourceRecord>,
): Promise<number> {
  let count = 0;
  await withSession(db, async (planSession) => {
    for (const one of [session, planSession]) await one.query('set synchronous_commit = off');
    const lines = read.lines?.();
    const columns = lines === undefined ? 'n, record_key, hash, problem' : 'n, record_key, hash';
    const copyKeys = `copy ${keys} (${columns}) from stdin`;
    let written: Promise<unknown> = Promise.resolve();
    try {
      const pieces = lines === undefined ? encoded(read) : new LinePacker().packed(wholeLines(lines));
      for await (const piece of pieces) {
        await written;
        count += piece.count;
        written = Promise.all([
          writePlan(planSession, plan, piece.records),
          session.copyIn(copyKeys, [piece.keys]),
        ]);
        // Whoever comes next asks whether it failed.
        written.catch(() => {});
      }
    } finally {
      // Of neither session is known what it does before.
      await written.catch(() => {});
    }
    await written;
    await session.query('reset synchronous_commit');
  });
  return count;
}

/** Writes what a statement over staged records selects to a plan: n, record_key, hash and record. @returns how many. */
export async function planStaged(
  { db, session }: { db: Database; session: Session },
  plan: number,
  select: string,
): Promise<number> {
  let count = 0;
  await withSession(db, async (planSession) => {
    for await (const lines of wholeLines(session.copyOut(`copy (${select}) to stdout`))) {
      await writePlan(planSession, plan, lines);
      count += countLines(lines);
    }
  });
  return count;
}

async function* encoded(batches: AsyncIterable<readonly SourceRecord[]>): AsyncGenerator<PackedLines> {
  let n = 0;
  for await (const batch of batches) {
    const rows = batch.map((row) => {
      const { key, hash, values, problem = null } = withStorableKey(row);
      return { n: String(++n), key, hash, record: pack(values), problem };
    });
    if (rows.length === 0) continue;
    yield {
      count: rows.length,
      records: Buffer.from(encodeCopyText(rows.map(({ n, key, hash, record }) => [n, key, hash, record]))),
      keys: Buffer.from(encodeCopyText(rows.map(({ n, key, hash, problem }) => [n, key, hash, problem]))),
    };
  }
}
