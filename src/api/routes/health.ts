import { sql } from 'kysely';
import { TidemarkError } from '../../errors.ts';
import type { App } from '../app.ts';
import type { ApiDependencies } from '../dependencies.ts';

/** A database that takes longer (ms) is not ready: whoever asks wants to know whether to send work here. */
const patience = 2000;

/** `healthz`: the process is up. `readyz`: it can also serve, since its database answers. */
export function healthRoutes(app: App, { db }: ApiDependencies): void {
  const config = { access: 'public' } as const;
  app.get('/healthz', { config }, async () => ({ status: 'ok' }));
  app.get('/readyz', { config }, async () => {
    const answer = sql`select 1`.execute(db);
    // The slower of the two is left behind: its end, good or bad, is nobody's business any more.
    answer.catch(() => {});
    const timer = Promise.withResolvers<never>();
    const timeout = setTimeout(() => timer.reject(new Error('no answer')), patience);
    try {
      await Promise.race([answer, timer.promise]);
    } catch (cause) {
      throw new TidemarkError('unavailable', { reason: 'The database does not answer' }, { cause });
    } finally {
      clearTimeout(timeout);
    }
    return { status: 'ready' };
  });
}
