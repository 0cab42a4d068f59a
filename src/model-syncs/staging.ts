import type { Batches, KeyAndHash, SourceRecord } from '../connectors/index.ts';
import { copyLines, copyRows, type Database, type Session, withSession } from '../db/index.ts';
import { ByteWriter } from '../lib/byte-writer.ts';
import { encodeCopyText } from '../lib/copy-text.ts';
import { eachLine, wholeLines } from '../lib/whole-lines.ts';
import { withStorableKey } from '../models/index.ts';
import { nestValues, unnestValues } from './nested-line.ts';
import { partsOfLines, partsOfRows } from './plan-parts.ts';
import { PieceWriter } from './plan-pieces.ts';
import { writePieces } from './planned-records.ts';

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
  const lines = read.lines?.();
  const planned = lines === undefined ? partsOfRows(read) : partsOfLines(wholeLines(lines));
  const columns = lines === undefined ? 'n, record_key, hash, problem' : 'n, record_key, hash';
  await withSession(db, async (planSession) => {
    for (const one of [session, planSession]) await one.query('set synchronous_commit = off');
    let written: Promise<unknown> = Promise.resolve();
    try {
      for await (const part of planned) {
        await written;
        count += part.count;
        written = Promise.all([
          writePieces(planSession, plan, part.pieces),
          session.copyIn(`copy ${keys} (${columns}) from stdin`, [part.keys]),
        ]);
        // Whoever comes next asks whether it failed.
        written.catch(() => {});
      }
    } finally {
      // Neither session can be used before.
      await written.catch(() => {});
    }
    await written;
    await session.query('reset synchronous_commit');
  });
  return count;
}

/** Stages records of which some may not be wanted. */
export async function stageRecords(session: Session, read: Batches<SourceRecord>): Promise<void> {
  await session.query(
    `create temporary table if not exists staged_records
       (record_key text collate "C", hash bigint not null, record text not null, problem text)`,
  );
  const lines = read.lines?.();
  if (lines !== undefined) {
    await copyLines(session, `${stagedRecords} (record_key, hash, record)`, nested(wholeLines(lines)));
    return;
  }
  await copyRows(session, stagedRecords, read, (row) => {
    const { key, hash, values, problem = null } = withStorableKey(row);
    // The text of a table cannot have it.
    const record = encodeCopyText([values]).slice(0, -1).replaceAll('\0', '\\000');
    return [key, hash, record, problem];
  });
}

async function* nested(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const lines of chunks) {
    const out = new ByteWriter(lines.length + (lines.length >> 2));
    for (const [start, end] of eachLine(lines)) nestValues(out, lines, start, end);
    yield out.written();
  }
}

/** Writes what a statement over staged records selects to a plan: record_key, hash and record. @returns how many. */
export async function planStaged(
  { db, session }: { db: Database; session: Session },
  plan: number,
  select: string,
): Promise<number> {
  const writer = new PieceWriter(512 * 1024);
  const line = new ByteWriter(1024);
  await withSession(db, async (planSession) => {
    for await (const lines of wholeLines(session.copyOut(`copy (${select}) to stdout`))) {
      for (const [start, end] of eachLine(lines)) {
        line.clear();
        unnestValues(line, lines, start, end);
        writer.add(line.bytes, 0, line.at);
      }
      if (writer.isFull) await writePieces(planSession, plan, writer.take());
    }
    await writePieces(planSession, plan, writer.take());
  });
  return writer.count;
}
