import { sql } from 'kysely';
import { type Database, type Session, type Transaction, withSession } from '../db/index.ts';
import { PlannedBatch } from './planned-batch.ts';
import { recordColumns } from './staging.ts';

/** The table of a plan. Its number is one the database gave. */
export const planTable = (plan: number) => `model_sync_plan_${plan}`;

/** Bytes of records that are read at a time, one record at least: memory must not depend on how wide they are. */
const bytesAtMost = 8 * 1024 * 1024;
const newline = 0x0a;
/** Small batches are read several at a time. */
const recordsAtLeast = 5_000;
const keysAtMost = 10_000;

/** Makes an empty plan. Until a checkpoint names it, it means nothing. */
export async function createPlan(session: Session, syncId: string, executionId: string): Promise<number> {
  const [row] = await session.query<{ plan: number }>(
    'insert into model_sync_plans (sync_id, execution_id) values ($1, $2) returning plan',
    [syncId, executionId],
  );
  if (row === undefined) throw new Error('an insert returns its row');
  await session.query(
    `create table ${planTable(row.plan)} (${recordColumns}) with (autovacuum_enabled = false)`,
  );
  return row.plan;
}

/** Records whose identity is NULL or not unique, or that are not whole, are not delivered; their keys stay, below 0. */
export async function setInvalidAside(session: Session, plan: number): Promise<void> {
  const table = planTable(plan);
  await session.query(
    `delete from ${table} where record_key is null;
     update ${table} set n = -n, record = '' where record_key in (
       select record_key from ${table} group by record_key having count(*) > 1 or max(problem) is not null)`,
  );
}

/** Once it is filled: a key that is there from the beginning takes three times as long. */
export async function closePlan(session: Session, plan: number): Promise<void> {
  await session.query(`alter table ${planTable(plan)} add primary key (n)`);
}

export interface Progress {
  delivered: number;
  /** Everything has been: there are no records any more. */
  finished: boolean;
}

export async function progressOf(db: Database, plan: number): Promise<Progress> {
  const row = await db
    .selectFrom('model_sync_plans')
    .select(['delivered', 'finished'])
    .where('plan', '=', plan)
    .executeTakeFirst();
  if (row === undefined) throw new Error(`plan ${plan} is gone`);
  return row;
}

export async function countAfter(db: Database, plan: number, n: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${sql.table(planTable(plan))} where n > ${n}`.execute(db);
  return rows[0]?.count ?? 0;
}

/** @param bytesAtMost whole lines of about so many bytes, one at least; the session is closed on what comes after. */
async function readBatch(
  db: Database,
  select: string,
  bytesAtMost = Number.POSITIVE_INFINITY,
): Promise<PlannedBatch> {
  return withSession(db, async ({ copyOut }) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isWhole = false;
    for await (const chunk of copyOut(`copy (${select}) to stdout`)) {
      chunks.push(chunk);
      bytes += chunk.length;
      isWhole ||= chunk.includes(newline);
      if (isWhole && bytes >= bytesAtMost) break;
    }
    const read = Buffer.concat(chunks);
    return new PlannedBatch(read.subarray(0, read.lastIndexOf(newline) + 1));
  });
}

/**
 * What is planned after the n-th, in batches; what comes next is read while the caller works on one. As many records are
 * asked for as the bytes of those before let expect: to have their lengths summed up took a seventh of what the metadata
 * database had to do.
 */
export async function* readAhead(
  db: Database,
  plan: number,
  after: number,
  limit: number,
): AsyncGenerator<PlannedBatch> {
  const atOnce = Math.max(limit, recordsAtLeast);
  const readAfter = (n: number, count: number) =>
    readBatch(
      db,
      `select n, record_key, hash, record from ${planTable(plan)} where n > ${n} order by n limit ${count}`,
      bytesAtMost,
    );
  let next = readAfter(after, atOnce);
  for (;;) {
    const read = await next;
    if (read.length === 0) return;
    const fitting = Math.ceil((bytesAtMost * read.length) / read.lines.length);
    next = readAfter(read.last, Math.min(atOnce, fitting));
    next.catch(() => {});
    for (let start = 0; start < read.length; start += limit) yield read.slice(start, start + limit);
  }
}

/** Keys of records that are not to be delivered: those set aside when it was made, and those at the places `ns`. */
export async function* readKeysAside(
  db: Database,
  plan: number,
  ns: readonly number[],
): AsyncGenerator<string[]> {
  const table = sql.table(planTable(plan));
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows } = await sql<{ n: number; record_key: string }>`
      select n, record_key from ${table} where n > ${after} and n < 0 order by n limit ${keysAtMost}`.execute(
      db,
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.n;
    yield rows.map(({ record_key }) => record_key);
  }
  for (let start = 0; start < ns.length; start += keysAtMost) {
    const { rows } = await sql<{ record_key: string }>`
      select record_key from ${table} where n = any(${ns.slice(start, start + keysAtMost)}::bigint[])`.execute(
      db,
    );
    yield rows.map(({ record_key }) => record_key);
  }
}

/** A stretch of a plan, both ends included. */
export function readStretch(db: Database, plan: number, first: number, last: number): Promise<PlannedBatch> {
  return readBatch(
    db,
    `select n, record_key, hash, record from ${planTable(plan)} where n between ${first} and ${last} order by n`,
  );
}

export async function advancePlan(tx: Transaction, plan: number, delivered: number): Promise<void> {
  await tx.updateTable('model_sync_plans').set({ delivered }).where('plan', '=', plan).execute();
}

/** The note that it is finished stays until the sync plans again: whoever takes over has to know. */
export async function finishPlan(db: Database, plan: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx.updateTable('model_sync_plans').set({ finished: true }).where('plan', '=', plan).execute();
    await sql`drop table ${sql.table(planTable(plan))}`.execute(tx);
  });
}

/** Removes what no execution will come back to: other plans of this sync, and those of executions that have ended. */
export async function dropStalePlans(session: Session, syncId: string): Promise<void> {
  const stale = await session.query<{ plan: number }>(
    `select plan from model_sync_plans p where sync_id = $1 or not exists (
       select from executions e where e.id = p.execution_id and (
         e.completed_at is null or exists (select from model_sync_intents i where i.execution_id = e.id)))`,
    [syncId],
  );
  // A worker that lost its claim may still be filling its plan: that one is left for another time.
  await session.query(`set lock_timeout = '1s'`);
  for (const { plan } of stale) {
    try {
      await session.query(`drop table if exists ${planTable(plan)}`);
      await session.query('delete from model_sync_plans where plan = $1', [plan]);
    } catch (error) {
      if ((error as { code?: unknown }).code !== '55P03') throw error;
    }
  }
  await session.query('reset lock_timeout');
}
