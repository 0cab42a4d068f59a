import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import { notFound } from '../errors.ts';
import type { Jobs, Queue } from '../jobs/index.ts';
import type { KeyRing } from '../lib/seal.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Actor } from '../organizations/index.ts';
import type { ModelRequest } from '../schema/model.ts';

/** Seconds that a job may take. */
const jobSeconds = 600;

export const modelJobQueue: Queue = {
  name: 'model-jobs',
  heartbeatSeconds: 10,
  expireInSeconds: jobSeconds,
  retryLimit: 3,
};

export interface ModelJobData {
  modelJobId: string;
  /** Jobs of an older version do not say. */
  organizationId?: string;
}

/** Results are kept this long. */
const keptFor = '1 day';
/** Later than this, tries and the waits between them included, nobody works on a job any more. */
const abandonedAfter = `${jobSeconds * 5} seconds`;

export const modelJobTypes = ['createmodel', 'updatemodel', 'previewmodel', 'samplemodel'] as const;
export type ModelJobType = (typeof modelJobTypes)[number];

/** What a job is to do. */
export type ModelJobRequest =
  | { type: 'createmodel'; actor: Actor; body: ModelRequest }
  | { type: 'updatemodel'; actor: Actor; id: string; body: ModelRequest; force?: boolean }
  | { type: 'previewmodel'; body: ModelRequest }
  | { type: 'samplemodel'; id: string };

/** `JobResponse` on the wire; `result` is JSON text. */
export interface ModelJob {
  id: string;
  type: ModelJobType;
  status: 'created' | 'running' | 'done' | 'failed';
  error: string | null;
  result: string | null;
}

interface JobDependencies {
  db: Database;
  jobs: Jobs;
  keyRing: KeyRing;
}

/** Leaves a request to a worker. */
export async function startModelJob(
  { db, jobs, keyRing }: JobDependencies,
  organizationId: string,
  request: ModelJobRequest,
): Promise<ModelJob> {
  return db.transaction().execute(async (tx) => {
    await sql`delete from model_jobs where created_at < now() - ${sql.lit(keptFor)}::interval`.execute(tx);
    const { id } = await tx
      .insertInto('model_jobs')
      .values({
        organization_id: organizationId,
        type: request.type,
        request: keyRing.seal(JSON.stringify(request)),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const data: ModelJobData = { modelJobId: id, organizationId };
    await jobs.insert(tx, modelJobQueue, [{ data, group: organizationId }]);
    return { id, type: request.type, status: 'created', error: null, result: null };
  });
}

/** @throws not_found, for a job of another organization or type, too. */
export async function getModelJob(
  { db, keyRing }: Pick<JobDependencies, 'db' | 'keyRing'>,
  organizationId: string,
  type: ModelJobType,
  id: string,
): Promise<ModelJob> {
  const row = isUuid(id)
    ? await db
        .selectFrom('model_jobs')
        .select(['status', 'error', 'result'])
        .select(sql<boolean>`created_at < now() - ${sql.lit(abandonedAfter)}::interval`.as('abandoned'))
        .where('organization_id', '=', organizationId)
        .where('type', '=', type)
        .where('id', '=', id)
        .executeTakeFirst()
    : undefined;
  if (row === undefined) throw notFound('job', id);
  const status = row.status as ModelJob['status'];
  if (row.abandoned && (status === 'created' || status === 'running')) {
    return { id, type, status: 'failed', error: 'No worker finished this job; start it again', result: null };
  }
  return { id, type, status, error: row.error, result: row.result && keyRing.open(row.result) };
}

/** Notes that a worker has it. @returns undefined when it has ended already. */
export async function takeModelJob(
  { db, keyRing }: Pick<JobDependencies, 'db' | 'keyRing'>,
  id: string,
): Promise<{ organizationId: string; request: ModelJobRequest } | undefined> {
  const row = await db
    .updateTable('model_jobs')
    .set({ status: 'running' })
    .where('id', '=', id)
    .where('status', 'in', ['created', 'running'])
    .returning(['organization_id', 'request'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const request = JSON.parse(keyRing.open(row.request)) as ModelJobRequest;
  return { organizationId: row.organization_id, request };
}

/**
 * Ends a job once: of two workers that both believe to have it, the second one throws, and what it did in the same
 * transaction is undone.
 */
export async function endModelJob(
  { db, keyRing }: { db: Database | Transaction; keyRing: KeyRing },
  id: string,
  end: { result: string } | { error: string },
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('model_jobs')
    .set(
      'result' in end
        ? { status: 'done', result: keyRing.seal(end.result) }
        : { status: 'failed', error: end.error },
    )
    .where('id', '=', id)
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new Error(`job ${id} has ended already`);
}
