import { sql } from 'kysely';
import { type Database, type Session, type Transaction, withSession } from '../db/index.ts';
import { baselineTable } from './baseline.ts';
import { planTable } from './planned-records.ts';

/** A subquery in an expression: the planner asks it row by row, and makes no join of it. */
const ended = (table: string) => sql`coalesce((
  select e.completed_at is not null
    and (select i.execution_id from model_sync_intents i where i.execution_id = e.id) is null
  from executions e where e.id = ${sql.ref(`${table}.execution_id`)}), true)`;

/** Numbers of plans and baselines. */
export interface StaleTables {
  plans: number[];
  baselines: number[];
}

/**
 * Plans and baselines that no execution will come back to: those of executions that have ended, of deleted syncs, and
 * those that earlier tries of an execution left.
 *
 * @param planning the sync whose execution begins to plan. Its claim has to be held meanwhile: later ones are those of
 *   whoever takes over.
 */
export async function staleTables(
  db: Database | Transaction,
  planning: string | null = null,
): Promise<StaleTables> {
  const plans = await sql<{ plan: number }>`
    select plan from model_sync_plans p where sync_id = ${planning} or ${ended('p')}`.execute(db);
  const baselines = await sql<{ baseline: number }>`
    select baseline from model_sync_baselines b
    where target is null and (sync_id = ${planning} or ${ended('b')})
      or (select s.id from model_syncs s where s.id = b.sync_id) is null`.execute(db);
  return {
    plans: plans.rows.map(({ plan }) => plan),
    baselines: baselines.rows.map(({ baseline }) => baseline),
  };
}

export async function dropStaleTables(db: Database, stale?: StaleTables): Promise<void> {
  const { plans, baselines } = stale ?? (await staleTables(db));
  if (plans.length + baselines.length === 0) return;
  await withSession(db, async (session) => {
    // A worker that lost its claim may still be filling one: that is left for another time.
    await session.query(`set lock_timeout = '1s'`);
    for (const plan of plans) {
      await drop(session, planTable(plan), 'delete from model_sync_plans where plan = $1', plan);
    }
    for (const baseline of baselines) {
      const row = 'delete from model_sync_baselines where baseline = $1';
      await drop(session, baselineTable(baseline), row, baseline);
    }
  });
}

/** The table first: what is left of a half done work is found again. */
async function drop(session: Session, table: string, row: string, number: number): Promise<void> {
  try {
    await session.query(`drop table if exists ${table}`);
    await session.query(row, [number]);
  } catch (error) {
    if ((error as { code?: unknown }).code !== lockNotAvailable) throw error;
  }
}

const lockNotAvailable = '55P03';
