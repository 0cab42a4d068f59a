import { sql } from 'kysely';
import type { Database } from '../db/index.ts';

/** What sessions of job queues call themselves, by what they do. */
export const sessionName = (role: 'send' | 'work') => `tidemark jobs ${role}`;

/**
 * Whether any worker is connected to the database, on whatever machine. The server's own list of sessions says so at
 * once, also after a kill; rows with heartbeats would be late and a write a second.
 */
export async function anyWorker(db: Database): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from pg_stat_activity
      where datname = current_database() and application_name = ${sessionName('work')}
    ) as found`.execute(db);
  return rows[0]?.found ?? false;
}
