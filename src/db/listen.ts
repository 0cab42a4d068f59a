import { sql } from 'kysely';
import type { Database } from './database.ts';
import { MetadataClient, sessionOptions } from './metadata-client.ts';

/** What sessions that listen call themselves. Every server and every worker has one for as long as it runs. */
const sessionName = 'tidemark listen';

/** Milliseconds between two tries to reach the database again. */
const pause = 500;

/** Milliseconds between two questions whether the session is still there; the answer has this long, too. */
const usualCheck = 10_000;

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
  checkEvery = usualCheck,
): Promise<{ stop(): Promise<void> }> {
  let client: MetadataClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const connect = async () => {
    const fresh = new MetadataClient({ ...sessionOptions(databaseUrl), application_name: sessionName });
    fresh.on('error', () => {});
    fresh.on('notification', ({ channel, payload }) => channels[channel]?.(payload ?? ''));
    await fresh.connect();
    const listening = Object.keys(channels).map((channel) => `listen ${channel}`);
    await (fresh.query(listening.join('; ')) as Promise<unknown>);
    if (stopped) return void (await fresh.end());
    client = fresh;
    const stopChecking = endWhenSilent(fresh, checkEvery);
    fresh.on('end', () => {
      stopChecking();
      again();
    });
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

/** A connection that nobody ended may be gone, and then no notification comes any more, nor does an error. */
function endWhenSilent(client: MetadataClient, checkEvery: number): () => void {
  let answered = true;
  const timer = setInterval(() => {
    // A server that is read-only announces nothing: the one that can write is another one.
    if (!answered || client.isReadOnly) return void client.connection.stream.destroy();
    answered = false;
    const answer: Promise<unknown> = client.query('select 1');
    answer.then(
      () => {
        answered = true;
      },
      () => {},
    );
  }, checkEvery);
  return () => clearInterval(timer);
}

/** Whether a server or a worker runs on the database, on whatever machine. */
export async function anyListener(db: Database): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from pg_stat_activity where datname = current_database() and application_name = ${sessionName}
    ) as found`.execute(db);
  return rows[0]?.found ?? false;
}
