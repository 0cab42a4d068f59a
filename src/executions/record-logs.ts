import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { Execution, RecordLogType } from './contract.ts';
import type { RecordLogLinks } from './payloads.ts';

export const recordLogTypes = [
  'records',
  'errors',
  'warnings',
  'inserts',
  'updates',
  'deletes',
] as const satisfies RecordLogType[];

export interface RecordLogFile {
  type: RecordLogType;
  /** log<unix seconds>-<uuid>.json */
  filename: string;
  /** Acknowledged bytes: what comes after them on disk was never committed. */
  bytes: number;
  /** The array's closing bracket is among the bytes. */
  closed: boolean;
}

type Located = Pick<Execution, 'organizationId' | 'id'>;

export function recordLogPath(folder: string, execution: Located, filename: string): string {
  return path.join(folder, execution.organizationId, execution.id, filename);
}

/** Files that hold at least one acknowledged record, oldest first. */
export async function listRecordLogs(
  db: Database | Transaction,
  executionId: string,
  type?: RecordLogType,
): Promise<RecordLogFile[]> {
  let select = db
    .selectFrom('record_log_files')
    .select(['type', 'filename', 'bytes', 'closed'])
    .where('execution_id', '=', executionId)
    .where('records', '>', 0)
    .orderBy('created_at')
    .orderBy('filename');
  if (type !== undefined) select = select.where('type', '=', type);
  const rows = await select.execute();
  return rows.map((row) => ({ ...row, type: row.type as RecordLogType }));
}

/** The links that `sync.completed` carries. */
export async function recordLogLinks(
  tx: Transaction,
  publicUrl: string,
  execution: Execution,
): Promise<RecordLogLinks> {
  const files = Map.groupBy(await listRecordLogs(tx, execution.id), (file) => file.type);
  const base = `${publicUrl}/api/syncs/${execution.syncId}/executions/${execution.id}`;
  const links = (type: RecordLogType) =>
    files.get(type)?.map(({ filename }) => `${base}/${type}/${filename}`) ?? null;
  return {
    records: links('records'),
    errors: links('errors'),
    warnings: links('warnings'),
    inserts: links('inserts'),
    updates: links('updates'),
    deletes: links('deletes'),
  };
}

/**
 * One file as a JSON array: the acknowledged bytes and, while it is still being written or was left by a
 * killed worker, the bracket that closes it. The name must be one the database knows, so that no name can
 * lead out of the folder.
 */
export async function openRecordLog(
  deps: { db: Database; recordLogFolder: string },
  execution: Located,
  type: string,
  filename: string,
): Promise<Readable> {
  const row = await deps.db
    .selectFrom('record_log_files')
    .select(['bytes', 'closed'])
    .where('execution_id', '=', execution.id)
    .where('type', '=', type)
    .where('filename', '=', filename)
    .where('records', '>', 0)
    .executeTakeFirst();
  if (row === undefined) throw notFound('record log', filename);
  const file = recordLogPath(deps.recordLogFolder, execution, filename);
  const bytes = createReadStream(file, { end: row.bytes - 1 });
  return row.closed ? bytes : Readable.from(withClosingBracket(bytes));
}

async function* withClosingBracket(bytes: Readable): AsyncGenerator<Buffer> {
  yield* bytes;
  yield Buffer.from('\n]\n');
}

export async function removeRecordLogs(folder: string, execution: Located): Promise<void> {
  await rm(path.join(folder, execution.organizationId, execution.id), { recursive: true, force: true });
}
