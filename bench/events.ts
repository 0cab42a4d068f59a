import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import {
  type Database,
  maintainPartitions,
  migrate,
  openDatabase,
  startEmbeddedPostgres,
} from '../src/db/index.ts';
import { appendEvent, listEvents, sampleEvent } from '../src/events/index.ts';

const hour = 3_600_000;
const retention = 48 * hour;
const writers = 16;

/**
 * Prints appends/s with one and with 200 organizations, what a page of the log costs with few and with many
 * events retained, the disk an event takes, and how long it takes to drop a partition. `--retained`, `--seconds`.
 */
export async function run(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      retained: { type: 'string', default: '10000000' },
      seconds: { type: 'string', default: '10' },
    },
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'tidemark-bench-'));
  await chmod(folder, 0o755);
  const server = await startEmbeddedPostgres(folder);
  try {
    const url = await server.database('bench');
    await migrate(url);
    const { db, close } = openDatabase(url, writers);
    for (let back = 48; back >= 0; back -= 6)
      await maintainPartitions(db, retention, Date.now() - back * hour);
    console.log(
      `${os.availableParallelism()} cores, ${writers} writers, payloads of ${payload.length} bytes`,
    );
    for (const count of [1, 200]) {
      const rate = await appends(db, await organizations(db, count), Number(values.seconds));
      console.log(
        `appends, ${count} organizations`.padEnd(34),
        `${Math.round(rate).toLocaleString('en')} events/s`,
      );
    }
    await sql`truncate events`.execute(db);
    const [organizationId = ''] = await organizations(db, 1);
    const few = await pages(db, organizationId, 10_000, 0);
    const many = await pages(db, organizationId, Number(values.retained), 10_000);
    console.log(
      `ratio of the medians ${(many.p50 / few.p50).toFixed(2)}, of p99 ${(many.p99 / few.p99).toFixed(2)}`,
    );
    await size(db);
    await close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const event = sampleEvent('sync.completed');
const payload = JSON.stringify(event);

async function organizations(db: Database, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, () => ({ name: crypto.randomUUID() }));
  const rows = await db.insertInto('organizations').values(names).returning('id').execute();
  return rows.map(({ id }) => id);
}

async function appends(db: Database, tenants: string[], seconds: number): Promise<number> {
  let done = 0;
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < end) {
        const organizationId = tenants[done++ % tenants.length] ?? '';
        await db
          .transaction()
          .execute((tx) => appendEvent(tx, { organizationId, type: 'sync.completed', event }));
      }
    }),
  );
  return done / seconds;
}

/** Fills the log up to so many events, a tenth of them this organization's, and times pages of it. */
async function pages(
  db: Database,
  organizationId: string,
  retained: number,
  existing: number,
): Promise<{ p50: number; p99: number }> {
  for (let from = existing; from < retained; from += 500_000) {
    const to = Math.min(retained, from + 500_000);
    await sql`
      insert into events (organization_id, created_at, id, type, event)
      select case when n % 10 = 0 then ${organizationId}::uuid else md5((n % 200)::text)::uuid end,
        now() - interval '47 hours' + (n::float8 / ${retained}) * interval '47 hours' + ${existing} * interval '1 microsecond',
        gen_random_uuid(), 'sync.completed', ${payload}
      from generate_series(${from}::int, ${to - 1}::int) n on conflict do nothing`.execute(db);
  }
  await sql`vacuum analyze events`.execute(db);
  await sql`checkpoint`.execute(db);
  const kinds = [
    ['newest 10', () => listEvents(db, { organizationId, ascending: false, limit: 10, retention })],
    [
      'next 100 after a cursor',
      () => {
        const after = new Date(Date.now() - Math.random() * 46 * hour).toISOString();
        return listEvents(db, { organizationId, ascending: true, after, limit: 100, retention });
      },
    ],
    [
      'nothing new',
      () =>
        listEvents(db, {
          organizationId,
          ascending: true,
          after: new Date().toISOString(),
          limit: 100,
          retention,
        }),
    ],
  ] as const;
  const all: number[] = [];
  for (const [name, read] of kinds) {
    for (let n = 0; n < 200; n++) await read();
    const times: number[] = [];
    for (let n = 0; n < 2000; n++) {
      const started = performance.now();
      await read();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    all.push(...times);
    console.log(
      `${retained.toLocaleString('en')} retained, ${name}`.padEnd(46),
      `p50 ${at(times, 0.5).toFixed(2)} ms  p99 ${at(times, 0.99).toFixed(2)} ms`,
    );
  }
  all.sort((a, b) => a - b);
  return { p50: at(all, 0.5), p99: at(all, 0.99) };
}

async function size(db: Database): Promise<void> {
  const { rows } = await sql<{ bytes: number; count: number; heap: number }>`
    select sum(pg_total_relation_size(inhrelid))::int8 as bytes, sum(pg_relation_size(inhrelid))::int8 as heap,
      (select count(*) from events) as count
    from pg_inherits where inhparent = 'events'::regclass`.execute(db);
  const [row] = rows;
  if (row !== undefined) {
    const [total, heap] = [row.bytes / row.count, row.heap / row.count].map(Math.round);
    console.log(
      `bytes per event on disk           ${total}, of which ${heap} in the table, the rest in indexes`,
    );
  }
  const started = performance.now();
  // As if two days had passed: every partition with events is dropped.
  await maintainPartitions(db, retention, Date.now() + 60 * hour);
  console.log(`dropping those partitions         ${Math.round(performance.now() - started)} ms`);
}

function at(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
