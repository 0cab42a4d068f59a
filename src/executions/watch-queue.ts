import { sql } from 'kysely';
import type { Database } from '../db/index.ts';
import { anyWorker } from '../jobs/index.ts';
import type { Logger } from '../lib/log.ts';
import { writeConsole } from './console.ts';

export const noWorker =
  'Waiting for a worker: none is connected to the database. Start "tidemark worker", or set TIDEMARK_WORKERS';
const noPlace = 'Waiting for a free place on a worker: all are taken';

/** Milliseconds between two looks, and that an execution may wait before it is said why. */
const interval = 10_000;
const unremarkable = 5_000;
/** Milliseconds after which the log repeats what it has said. */
const reminder = 600_000;

/** Says of executions that wait why they do: in their status, in their console and in the log. */
export function watchQueue(deps: { db: Database; log: Logger }, every = interval): { stop(): Promise<void> } {
  let said: { reason: string; at: number } | undefined;
  const look = async () => {
    const found = await explainWaiting(deps.db);
    if (found === undefined) {
      said = undefined;
      return;
    }
    const { count, oldest, reason } = found;
    if (said?.reason === reason && performance.now() - said.at < reminder) return;
    said = { reason, at: performance.now() };
    deps.log.warn({ waiting: count, oldest, reason }, 'executions.waiting');
  };
  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running
      .then(look)
      .catch((error: unknown) => deps.log.error({ err: error }, 'executions.watch_failed'));
  }, every);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/** One look. @returns undefined when none waits for long. */
export async function explainWaiting(db: Database) {
  const { count, oldest } = await waiting(db);
  if (count === 0) return undefined;
  const reason = (await anyWorker(db)) ? noPlace : noWorker;
  await explain(db, reason);
  return { count, oldest, reason };
}

const late = sql`status = 'queued' and created_at < now() - ${unremarkable} * interval '1 millisecond'`;

async function waiting(db: Database): Promise<{ count: number; oldest: string | null }> {
  const { rows } = await sql<{ count: number; oldest: string | null }>`
    select count(*)::int as count, min(created_at) as oldest from executions where ${late}`.execute(db);
  return rows[0] ?? { count: 0, oldest: null };
}

/** Once for each execution and reason. */
async function explain(db: Database, reason: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ id: string }>`
      with late as (
        select id from executions
        where ${late} and status_message is distinct from ${reason} for update skip locked limit 100
      )
      update executions set status_message = ${reason} where id = any (array(select id from late)) returning id`.execute(
      tx,
    );
    for (const { id } of rows) await writeConsole(tx, id, { level: 'warn', message: reason });
  });
}
