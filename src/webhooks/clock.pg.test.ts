import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMetadataDatabase } from '../../test/support/database.ts';
import { canFakeTime, fakeClock } from '../../test/support/faketime.ts';
import { startReceiver } from '../../test/support/receiver.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/until.ts';
import { appendEvent } from '../events/index.ts';
import { KeyRing } from '../lib/seal.ts';
import { createWebhook, enqueueDeliveries } from './index.ts';

const hour = 3600;
/** Seconds. */
const waits = [0.2, 0.2, 0.2, 600, 0.2];

interface Kept {
  status: string;
  attempts: number;
  /** Seconds until the next attempt, by the database's clock. */
  next: number | null;
  /** Seconds that any time on record lies off the database's clock. */
  off: number;
}

describe.skipIf(!canFakeTime())('a worker whose clock jumps', () => {
  test.each([
    ['an hour ahead', hour],
    ['an hour back', -hour],
  ])(
    '%s delivers on schedule, and the record knows no other clock than the database’s',
    async (_, offset) => {
      await using metadata = await createMetadataDatabase();
      const receiver = await startReceiver();
      onTestFinished(() => receiver.close());
      const clock = fakeClock(await temporaryFolder());
      receiver.behave((_request, index) => {
        if (index > 0) return 503;
        clock.jump(offset);
        // In a second, by the endpoint's clock.
        return { status: 503, headers: { 'retry-after': new Date(Date.now() + 1000).toUTCString() } };
      });
      const worker = spawn(
        process.execPath,
        [path.join(import.meta.dirname, 'delivery-worker.fixture.ts'), crypto.randomUUID(), waits.join()],
        { env: { ...process.env, DATABASE_URL: metadata.url, ...clock.environment }, stdio: 'inherit' },
      );
      onTestFinished(async () => {
        worker.kill('SIGKILL');
        if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
      });
      const { id: organizationId } = await metadata.db
        .insertInto('organizations')
        .values({ name: 'off the clock' })
        .returning('id')
        .executeTakeFirstOrThrow();
      const keyRing = new KeyRing([Buffer.alloc(32, 3)]);
      await createWebhook({ db: metadata.db, keyRing }, organizationId, {
        endpoint: receiver.url,
        secret: 's',
      });
      await metadata.db.transaction().execute(async (tx) => {
        const event = await appendEvent(tx, { organizationId, type: 'sync.failed', event: {} });
        await enqueueDeliveries(tx, event);
      });
      const kept = async () => {
        const [row] = await metadata.query<Kept>(`
        select d.status, count(a.attempt)::int as attempts,
          (select extract(epoch from due_at - now())::float8 from tidemark.webhook_queue
           where worker_id is null) as next,
          extract(epoch from greatest(max(greatest(a.started_at - now(), now() - a.started_at)),
            (select greatest(last_failure_at - now(), now() - last_failure_at) from tidemark.webhook_health)
          ))::float8 as off
        from tidemark.webhook_deliveries d
        left join tidemark.webhook_attempts a on a.delivery_id = d.id
        group by d.id, d.status`);
        return row;
      };

      const waiting = await until(async () => {
        const now = await kept();
        return now?.attempts === 4 ? now : undefined;
      });
      expect(receiver.requests.length).toBe(4);
      // A receiver refuses what is stamped too long ago, or to come.
      for (const { headers } of receiver.requests) {
        expect(Math.abs(Number(headers['webhook-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
      }
      expect(waiting.next).toBeGreaterThan(480 - 30);
      expect(waiting.next).toBeLessThanOrEqual(720);
      expect(waiting.off).toBeLessThan(60);

      await metadata.query('update tidemark.webhook_queue set due_at = now()');
      const ended = await until(async () => {
        const now = await kept();
        return now?.status === 'pending' ? undefined : now;
      });
      expect(ended).toMatchObject({ status: 'failed', attempts: 6, next: null });
      expect(receiver.requests.length).toBe(6);
    },
  );
});
