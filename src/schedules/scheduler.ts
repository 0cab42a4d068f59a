import { sql } from 'kysely';
import { type Database, listen } from '../db/index.ts';
import type { Logger } from '../lib/log.ts';
import { type Starters, startDue } from './start-due.ts';
import { scheduleChannel } from './store.ts';

/** Milliseconds between two looks at most: a server that dies leaves what it had claimed, and tells nobody. */
const longestWait = 10_000;
/** Milliseconds before another try when the database was away. */
const pause = 1000;

/**
 * Starts what is due, for as long as this process lives. Any number of servers may do so. It looks when the next
 * time has come, and when it is told that schedules have changed or an execution has ended.
 */
export async function startScheduler(
  deps: { db: Database; databaseUrl: string; log: Logger },
  starters: Starters,
): Promise<{ stop(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const look = () => {
    again = true;
    running ??= pass().finally(() => {
      running = undefined;
    });
  };
  const pass = async () => {
    clearTimeout(timer);
    let wait = pause;
    try {
      while (again && !stopped) {
        again = false;
        while (!stopped && (await startDue(deps, starters)));
        wait = await timeToNext(deps.db);
      }
    } catch (error) {
      deps.log.error({ err: error }, 'schedules.failed');
    }
    if (!stopped) timer = setTimeout(look, wait);
  };

  const listener = await listen(deps.databaseUrl, { [scheduleChannel]: look }, look);
  return {
    async stop() {
      stopped = true;
      await listener.stop();
      await running;
      clearTimeout(timer);
    },
  };
}

/** Milliseconds until the next time. What is due already and waits is announced when it need not wait any more. */
export async function timeToNext(db: Database): Promise<number> {
  const { rows } = await sql<{ wait: number | null }>`
    select (extract(epoch from min(next_run_at) - clock_timestamp()) * 1000)::float8 as wait
    from schedules where next_run_at > now()`.execute(db);
  return Math.min(Math.max(Math.ceil(rows[0]?.wait ?? longestWait), 0), longestWait);
}
