import { Readable } from 'node:stream';
import type { Database, Transaction } from '../db/index.ts';
import { notFound, TidemarkError } from '../errors.ts';
import type { Execution, RecordLogType } from './contract.ts';
import type { RecordLogLinks } from './payloads.ts';
import type { Located, RecordLogStore, StoredFile } from './record-log-store.ts';

export const recordLogTypes = [
  'records',
  'errors',
  'warnings',
  'inserts',
  'updates',
  'deletes',
] as const satisfies RecordLogType[];

export interface RecordLogFile extends StoredFile {
  type: RecordLogType;
  /** The array's closing bracket is among the bytes. */
  closed: boolean;
}

/** Files that hold at least one acknowledged record, oldest first. @throws record_logs_removed */
export async function listRecordLogs(
  db: Database | Transaction,
  executionId: string,
  type?: RecordLogType,
): Promise<RecordLogFile[]> {
  let select = db
    .selectFrom('record_log_files')
    .select(['type', 'filename', 'bytes', 'parts', 'closed'])
    .where('execution_id', '=', executionId)
    .where('records', '>', 0)
    .orderBy('created_at')
    .orderBy('filename');
  if (type !== undefined) select = select.where('type', '=', type);
  const rows = await select.execute();
  if (rows.length === 0) await expectNotRemoved(db, executionId);
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
 * One file as a JSON array: what is acknowledged of it and, while it is still being written or was left by a
 * killed worker, the bracket that closes it. The name must be one the database knows, so that no name can
 * lead to another place.
 */
export async function openRecordLog(
  { db, recordLogs }: { db: Database; recordLogs: RecordLogStore },
  execution: Located,
  type: string,
  filename: string,
): Promise<Readable> {
  const row = await db
    .selectFrom('record_log_files')
    .select(['filename', 'bytes', 'parts', 'closed'])
    .where('execution_id', '=', execution.id)
    .where('type', '=', type)
    .where('filename', '=', filename)
    .where('records', '>', 0)
    .executeTakeFirst();
  if (row === undefined) {
    await expectNotRemoved(db, execution.id);
    throw notFound('record log', filename);
  }
  const bytes = await recordLogs.read(execution, row);
  return row.closed ? bytes : Readable.from(withClosingBracket(bytes));
}

/** Of an execution without record logs: there may have been some. */
async function expectNotRemoved(db: Database | Transaction, executionId: string): Promise<void> {
  const row = await db
    .selectFrom('executions')
    .select('logs_removed_at')
    .where('id', '=', executionId)
    .executeTakeFirst();
  if (row?.logs_removed_at == null) return;
  throw new TidemarkError('record_logs_removed', {
    execution_id: executionId,
    removed_at: row.logs_removed_at,
  });
}

async function* withClosingBracket(bytes: Readable): AsyncGenerator<Buffer> {
  yield* bytes;
  yield Buffer.from('\n]\n');
}
