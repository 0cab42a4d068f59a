import { sql } from 'kysely';
import pg from 'pg';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/index.ts';
import { appendEvent } from '../../src/events/index.ts';
import { startReaders } from '../chaos/readers.ts';
import type { Tenant } from '../chaos/tenant.ts';
import { startTestApp } from '../support/app.ts';
import { until } from '../support/until.ts';

test('readers by timestamp, whole second, token and stream see every event in order, whatever commits when [P2, P3, S10]', async () => {
  await using api = await startTestApp();
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const tenants: Tenant[] = [];
  for (let n = 0; n < 6; n++) tenants.push({ ...(await api.tenant(`lossless-${n}`)), syncIds: [] });
  const stop = new AbortController();
  const readersEach = 4;
  const readers = tenants.flatMap((tenant) => startReaders(tenant, () => url, stop.signal));
  const { db, close } = openDatabase(api.database.url, 20);

  // A write transaction of somebody else, open from before the first event until after the last.
  const bystander = new pg.Client(api.database.url);
  await bystander.connect();
  await bystander.query("begin; insert into tidemark.organizations (name) values ('open for long')");
  const [writers, each] = [20, 60];
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; n < each; n++) {
        const organizationId = tenants[(writer * 7 + n) % tenants.length]?.organizationId ?? '';
        await db.transaction().execute(async (tx) => {
          // Some transactions are slow before the event, some between the event and their commit.
          if (Math.random() < 0.2) await sql`select pg_sleep(${Math.random() * 0.02})`.execute(tx);
          await appendEvent(tx, { organizationId, type: 'sync.running', event: { writer, n } });
          if (Math.random() < 0.1) await sql`select pg_sleep(${Math.random() * 0.02})`.execute(tx);
        });
      }
    }),
  );
  const total = () => readers.reduce((sum, { seen }) => sum + seen.length, 0);
  // While the bystander is still open: nobody waits for it.
  await until(() => total() >= readersEach * writers * each);
  await bystander.query('rollback');
  await bystander.end();
  stop.abort();

  for (const { name, organizationId, seen } of readers) {
    const rows = await db
      .selectFrom('events')
      .select('id')
      .where('organization_id', '=', organizationId)
      .orderBy('created_at')
      .execute();
    expect(seen, name).toEqual(rows.map(({ id }) => id));
  }
  expect(total()).toBe(readersEach * writers * each);
  await close();
}, 300_000);
