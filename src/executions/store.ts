import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { JsonObject } from '../lib/json.ts';
import { isTimestamp } from '../lib/timestamp.ts';
import { isUuid } from '../lib/uuid.ts';
import { decodePageToken, encodePageToken } from '../schema/page-token.ts';
import type { Counts, Execution, ExecutionKind, ExecutionStatus, Subject } from './contract.ts';

export const unfinished = ['created', 'queued', 'running', 'canceling'] as const satisfies ExecutionStatus[];

export const executionColumns = [
  'id',
  'organization_id',
  'kind',
  'sync_id',
  'status',
  'trigger',
  'options',
  'subject',
  'counts',
  'errors',
  'status_message',
  'checkpoint',
  'created_at',
  'started_at',
  'completed_at',
  'updated_at',
] as const;

/** What a select of `executionColumns` gives. */
export interface ExecutionRow {
  id: string;
  organization_id: string;
  kind: string;
  sync_id: string;
  status: string;
  trigger: string;
  options: unknown;
  subject: unknown;
  counts: unknown;
  errors: string[];
  status_message: string | null;
  checkpoint: unknown;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  updated_at: string;
}

export function toExecution(row: ExecutionRow): Execution {
  return {
    id: row.id,
    organizationId: row.organization_id,
    kind: row.kind as ExecutionKind,
    syncId: row.sync_id,
    status: row.status as ExecutionStatus,
    trigger: row.trigger,
    options: row.options as JsonObject,
    subject: row.subject as Subject,
    counts: row.counts as Counts,
    errors: row.errors,
    statusMessage: row.status_message,
    checkpoint: row.checkpoint as Execution['checkpoint'],
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    updatedAt: row.updated_at,
  };
}

/** @throws not_found for an unknown id, another sync's, or another organization's. */
export async function getExecution(
  db: Database | Transaction,
  organizationId: string,
  syncId: string,
  id: string,
): Promise<Execution> {
  if (!isUuid(id) || !isUuid(syncId)) throw notFound('execution', id);
  const row = await db
    .selectFrom('executions')
    .select(executionColumns)
    .where('id', '=', id)
    .where('sync_id', '=', syncId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('execution', id);
  return toExecution(row);
}

/** An execution whose sync is not known. @throws not_found */
export async function findExecution(db: Database, organizationId: string, id: string): Promise<Execution> {
  if (!isUuid(id)) throw notFound('execution', id);
  const row = await db
    .selectFrom('executions')
    .select(executionColumns)
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('execution', id);
  return toExecution(row);
}

/** One that is known to be there. */
export async function findById(db: Database, id: string): Promise<Execution> {
  const row = await db
    .selectFrom('executions')
    .select(executionColumns)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return toExecution(row);
}

/** Whether an execution has ended for good. */
export function isFinished({ status }: Pick<Execution, 'status'>): boolean {
  return !unfinished.some((one) => one === status);
}

export interface ExecutionPage {
  organizationId: string;
  syncId: string;
  pageToken?: string | undefined;
  limit: number;
  ascending?: boolean | undefined;
  onlyTerminal?: boolean | undefined;
}

/** Newest first unless `ascending`. The token names the last row of the page before. */
export async function listExecutions(
  db: Database,
  page: ExecutionPage,
): Promise<{ executions: Execution[]; nextPageToken: string | undefined }> {
  const { limit } = page;
  const direction = page.ascending ? 'asc' : 'desc';
  let select = db
    .selectFrom('executions')
    .select(executionColumns)
    .where('organization_id', '=', page.organizationId)
    .where('sync_id', '=', page.syncId)
    .orderBy('created_at', direction)
    .orderBy('id', direction)
    .limit(limit + 1);
  if (page.onlyTerminal) select = select.where('status', 'not in', unfinished);
  if (page.pageToken) {
    const [createdAt, id] = decodePageToken(page.pageToken, isTimestamp, isUuid);
    const row = sql`(${createdAt}::timestamptz, ${id}::uuid)`;
    select = select.where(
      page.ascending ? sql<boolean>`(created_at, id) > ${row}` : sql<boolean>`(created_at, id) < ${row}`,
    );
  }
  const rows = await select.execute();
  const executions = rows.slice(0, limit).map(toExecution);
  const last = executions.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { executions, nextPageToken: more ? encodePageToken([last.createdAt, last.id]) : undefined };
}

/** The unfinished execution of a sync and the newest finished one. */
export async function syncStatus(
  db: Database,
  syncId: string,
): Promise<{ current: Execution | undefined; last: Execution | undefined }> {
  const newest = newestOf(db, syncId);
  const [current, last] = await Promise.all([
    newest.where('status', 'in', unfinished).executeTakeFirst(),
    newest.where('status', 'not in', unfinished).executeTakeFirst(),
  ]);
  return { current: current && toExecution(current), last: last && toExecution(last) };
}

/** The last one of a sync that has ended and was about all of it: no dry run, and not about chosen records. */
export async function lastWhole(db: Database, syncId: string): Promise<Execution | undefined> {
  const last = await newestOf(db, syncId)
    .where('status', 'not in', unfinished)
    .where(sql<boolean>`not (options @> '{"test": true}' or options ? 'identities')`)
    .executeTakeFirst();
  return last && toExecution(last);
}

const newestOf = (db: Database, syncId: string) =>
  db
    .selectFrom('executions')
    .select(executionColumns)
    .where('sync_id', '=', syncId)
    .orderBy('created_at', 'desc')
    .limit(1);

/** The organization an execution belongs to. @throws not_found */
export async function executionOwner(db: Database, id: string): Promise<string> {
  if (!isUuid(id)) throw notFound('execution', id);
  const row = await db
    .selectFrom('executions')
    .select('organization_id')
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw notFound('execution', id);
  return row.organization_id;
}
