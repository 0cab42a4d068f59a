import { sql } from 'kysely';
import type { KeyAndHash } from '../connectors/index.ts';
import type { Database, Session, Transaction } from '../db/index.ts';
import { unpack } from '../lib/packed-record.ts';
import { recordColumns } from './staging.ts';

/** A record to deliver. Of a plan, `n` only ever grows from 1; it has gaps, and below 0 what was set aside. */
export interface PlannedRecord extends KeyAndHash {
  n: number;
  key: string;
  /** In the order of the task's query. */
  values: (string | null)[];
}

/** The table of a plan. Its number is one the database gave. */
export const planTable = (plan: number) => `model_sync_plan_${plan}`;

/** Bytes of records that are read at a time, at least one record: memory must not depend on how wide they are. */
const bytesAtMost = 8 * 1024 * 1024;
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

/** Once it is filled. */
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

/** The next records after the n-th, in order. */
async function readAfter(db: Database, plan: number, n: number, limit: number): Promise<PlannedRecord[]> {
  const { rows } = await sql<Row>`
    select n, record_key, hash, record from (
      select n, record_key, hash::text, record,
        sum(octet_length(record)) over (order by n) - octet_length(record) as bytes_before
      from (select * from ${sql.table(planTable(plan))} where n > ${n} order by n limit ${limit}) next
    ) sized where bytes_before < ${bytesAtMost} order by n`.execute(db);
  return rows.map(toRecord);
}

/** What is planned after the n-th, in batches; the next one is read while the caller works on one. */
export async function* readAhead(
  db: Database,
  plan: number,
  after: number,
  limit: number,
): AsyncGenerator<PlannedRecord[]> {
  let next = readAfter(db, plan, after, limit);
  for (;;) {
    const batch = await next;
    const last = batch.at(-1);
    if (last === undefined) return;
    next = readAfter(db, plan, last.n, limit);
    next.catch(() => {});
    yield batch;
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
export async function readStretch(
  db: Database,
  plan: number,
  first: number,
  last: number,
): Promise<PlannedRecord[]> {
  const { rows } = await sql<Row>`
    select n, record_key, hash::text, record from ${sql.table(planTable(plan))}
    where n between ${first} and ${last} order by n`.execute(db);
  return rows.map(toRecord);
}

interface Row {
  n: number;
  record_key: string;
  hash: string;
  record: string;
}

function toRecord({ n, record_key, hash, record }: Row): PlannedRecord {
  return { n, key: record_key, hash, values: unpack(record) };
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
