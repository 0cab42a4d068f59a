import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Database } from '../../db/index.ts';
import { TidemarkError } from '../../errors.ts';
import { anyWorker } from '../../jobs/index.ts';
import { Word } from '../../schema/bounded.ts';
import type { App } from '../app.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** A database that takes longer (ms) is not ready: whoever asks wants to know whether to send work here. */
const patience = 2000;

const noWorker =
  'No worker is connected to the database, so executions wait: start "tidemark worker", or set TIDEMARK_WORKERS';

const ReadyQuery = Type.Object({ worker: Type.Optional(Word) });

/**
 * `healthz`: the process is up. `readyz`: it can also serve, since its database answers and takes what is written; with `?worker` it is asked, too,
 * whether any worker is connected that would run what is started.
 */
export function healthRoutes(app: App, { db }: ApiDependencies): void {
  const config = { access: 'public' } as const;
  app.get('/healthz', { config }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config, schema: { querystring: ReadyQuery } }, async (request) => {
    const { worker } = request.query;
    const isAsked = worker !== undefined && worker !== 'false';
    const fault = faultOf(db, isAsked);
    // The slower of the two is left behind: its end, good or bad, is nobody's business any more.
    fault.catch(() => {});
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(new Error('no answer')), patience);
    const reason = await Promise.race([fault, timer.promise])
      .catch(() => 'The database does not answer')
      .finally(() => clearTimeout(timeout));
    if (reason !== undefined) throw new TidemarkError('unavailable', { reason });
    return { status: 'ready' };
  });
}

async function faultOf(db: Database, isWorkerAsked: boolean): Promise<string | undefined> {
  const { rows } = await sql<{ writable: boolean }>`
    select current_setting('transaction_read_only') = 'off' as writable`.execute(db);
  if (rows[0]?.writable !== true) return 'The database is read-only';
  return isWorkerAsked && !(await anyWorker(db)) ? noWorker : undefined;
}
