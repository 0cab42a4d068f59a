import { sql } from 'kysely';
import pg from 'pg';
import type { Database } from './database.ts';

/** What sessions that listen call themselves. Every server and every worker has one for as long as it runs. */
const sessionName = 'tidemark listen';

/** Milliseconds between two tries to reach the database again. */
const pause = 500;

/**
 * Listens on channels over a connection of its own, and connects again whenever it is lost.
 *
 * @param channels what to do with a notification's payload.
 * @param connected called after every connect: what was announced while nobody listened must be looked up.
 * @throws when the first connect fails.
 */
export async function listen(
  databaseUrl: string,
  channels: Readonly<Record<string, (payload: string) => void>>,
  connected: () => void = () => {},
): Promise<{ stop(): Promise<void> }> {
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const connect = async () => {
    const fresh = new pg.Client({
      connectionString: databaseUrl,
      application_name: sessionName,
      keepAlive: true,
    });
    fresh.on('error', () => {});
    fresh.on('notification', ({ channel, payload }) => channels[channel]?.(payload ?? ''));
    await fresh.connect();
    await fresh.query(
      Object.keys(channels)
        .map((channel) => `listen ${channel}`)
        .join('; '),
    );
    client = fresh;
    fresh.on('end', again);
    connected();
  };
  const again = () => {
    client = undefined;
    if (!stopped) timer = setTimeout(() => connect().catch(again), pause);
  };

  await connect();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}

/** Whether a server or a worker runs on the database, on whatever machine. */
export async function anyListener(db: Database): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from pg_stat_activity where datname = current_database() and application_name = ${sessionName}
    ) as found`.execute(db);
  return rows[0]?.found ?? false;
}
