import { type Database, type Session, withSession } from '../db/index.ts';
import { baselineTable } from './baseline.ts';
import { planTable } from './planned-records.ts';

const ended = (
  table: string,
) => `not exists (select from executions e where e.id = ${table}.execution_id and (
  e.completed_at is null or exists (select from model_sync_intents i where i.execution_id = e.id)))`;

/**
 * Drops plans and baselines that no execution will come back to: those of executions that have ended, of deleted syncs,
 * and those that earlier tries of an execution left.
 *
 * @param planning the sync whose execution begins to plan.
 */
export async function dropStaleTables(db: Database, planning?: string): Promise<void> {
  await withSession(db, async (session) => {
    const plans = await session.query<{ plan: number }>(
      `select plan from model_sync_plans p where sync_id = $1 or ${ended('p')}`,
      [planning ?? null],
    );
    const baselines = await session.query<{ baseline: number }>(
      `select baseline from model_sync_baselines b
       where target is null and (sync_id = $1 or ${ended('b')})
         or not exists (select from model_syncs s where s.id = b.sync_id)`,
      [planning ?? null],
    );
    // A worker that lost its claim may still be filling one: that is left for another time.
    await session.query(`set lock_timeout = '1s'`);
    for (const { plan } of plans) {
      await drop(session, planTable(plan), 'delete from model_sync_plans where plan = $1', plan);
    }
    for (const { baseline } of baselines) {
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
