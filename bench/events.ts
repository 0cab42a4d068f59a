import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
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
    for (const [name, before] of few) {
      const after = many.get(name) ?? before;
      const ratio = (share: 'p50' | 'p99') => (after[share] / before[share]).toFixed(2);
      console.log(`ratio, ${name}`.padEnd(46), `p50 ${ratio('p50')}     p99 ${ratio('p99')}`);
    }
    await size(db);
    await close();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Times {
  p50: number;
  p99: number;
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
): Promise<Map<string, Times>> {
  const written = Date.now();
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
  // What the load left to the disk would otherwise be measured.
  await promisify(execFile)('sync');
  const kinds = [
    // What the machine and the connection cost alone: the noise of the others.
    ['select 1', () => sql`select 1`.execute(db)],
    ['newest 10', () => listEvents(db, { organizationId, ascending: false, limit: 10, retention })],
    [
      'next 100, a little behind',
      () => {
        // 100 to 200 events of this organization before the end.
        const behind = ((1000 + Math.random() * 1000) / retained) * 47 * hour;
        const after = new Date(written - behind).toISOString();
        return listEvents(db, { organizationId, ascending: true, after, limit: 100, retention });
      },
    ],
    [
      'next 100, anywhere',
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
  const result = new Map<string, Times>();
  for (const [name, read] of kinds) {
    // Pages that were just written are in memory; after a load and a vacuum of everything they have to come back.
    for (let n = 0; n < 2000; n++) await read();
    const times: number[] = [];
    for (let n = 0; n < 2000; n++) {
      const started = performance.now();
      await read();
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    result.set(name, { p50: at(times, 0.5), p99: at(times, 0.99) });
    console.log(
      `${retained.toLocaleString('en')} retained, ${name}`.padEnd(46),
      `p50 ${at(times, 0.5).toFixed(2)} ms  p99 ${at(times, 0.99).toFixed(2)} ms`,
    );
  }
  return result;
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
  const { rows: largest } = await sql<{ name: string; bytes: number }>`
    select inhrelid::regclass::text as name, pg_total_relation_size(inhrelid)::int8 as bytes
    from pg_inherits where inhparent = 'events'::regclass order by 2 desc limit 1`.execute(db);
  const [partition] = largest;
  if (partition === undefined) return;
  const started = performance.now();
  await sql`drop table ${sql.raw(partition.name)}`.execute(db);
  const took = Math.round(performance.now() - started);
  console.log(`dropping the largest partition    ${took} ms for ${Math.round(partition.bytes / 1e6)} MB`);
}

function at(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
