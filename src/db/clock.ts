import { sql } from 'kysely';
import type { Logger } from '../lib/log.ts';
import type { Database } from './database.ts';

/** The database's: what is decided by time is decided alike by all servers and workers, whatever their own clocks say. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Milliseconds between two readings, and that our own clock may be off before it is said. */
const every = 60_000;
const tolerance = 5_000;

/**
 * Reads the database's clock, now and then every minute, and goes on from it by the monotonic clock: ours may jump. Warns
 * while ours is off, since logs and what other machines show are stamped by it.
 */
export async function startClock(
  db: Database,
  log: Pick<Logger, 'warn' | 'info' | 'debug'>,
  own: Clock = { now: Date.now },
  interval = every,
): Promise<Clock & { stop(): Promise<void> }> {
  let origin = 0;
  let isOff = false;
  const read = async () => {
    const before = performance.now();
    const { rows } = await sql<{ now: number }>`
      select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(db);
    const after = performance.now();
    origin = (rows[0]?.now ?? 0) - (before + after) / 2;
    const off = own.now() - (origin + performance.now());
    if (Math.abs(off) - (after - before) / 2 > tolerance) {
      isOff = true;
      const reason = 'The clock of this machine is off the database’s, which counts';
      log.warn({ off_seconds: Math.round(off / 1000), reason }, 'clock.off');
    } else if (isOff) {
      isOff = false;
      log.info('clock.right');
    }
  };
  await read();
  let reading = Promise.resolve();
  const timer = setInterval(() => {
    // What was read last still holds.
    reading = read().catch((error: unknown) => log.debug({ err: error }, 'clock.not_read'));
  }, interval);
  return {
    now: () => origin + performance.now(),
    async stop() {
      clearInterval(timer);
      await reading;
    },
  };
}
