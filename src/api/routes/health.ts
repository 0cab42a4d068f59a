import { sql } from 'kysely';
import { Type } from 'typebox';
import { TidemarkError } from '../../errors.ts';
import { anyWorker } from '../../jobs/index.ts';
import type { App } from '../app.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** A database that takes longer (ms) is not ready: whoever asks wants to know whether to send work here. */
const patience = 2000;

const noWorker =
  'No worker is connected to the database, so executions wait: start "tidemark worker", or set TIDEMARK_WORKERS';

const ReadyQuery = Type.Object({ worker: Type.Optional(Type.String()) });

/**
 * `healthz`: the process is up. `readyz`: it can also serve, since its database answers; with `?worker` it is asked, too,
 * whether any worker is connected that would run what is started.
 */
export function healthRoutes(app: App, { db }: ApiDependencies): void {
  const config = { access: 'public' } as const;
  app.get('/healthz', { config }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config, schema: { querystring: ReadyQuery } }, async (request) => {
    const { worker } = request.query;
    const isAsked = worker !== undefined && worker !== 'false';
    const answer = isAsked ? anyWorker(db) : sql`select 1`.execute(db);
    // The slower of the two is left behind: its end, good or bad, is nobody's business any more.
    answer.catch(() => {});
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(new Error('no answer')), patience);
    try {
      const found = await Promise.race([answer, timer.promise]);
      if (found === false) throw new TidemarkError('unavailable', { reason: noWorker });
    } catch (cause) {
      if (cause instanceof TidemarkError) throw cause;
      throw new TidemarkError('unavailable', { reason: 'The database does not answer' }, { cause });
    } finally {
      clearTimeout(timeout);
    }
    return { status: 'ready' };
  });
}
