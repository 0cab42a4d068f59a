import { execFile } from 'node:child_process';
import os from 'node:os';
import { parseArgs, promisify } from 'node:util';
import { sql } from 'kysely';
import {
  type DatabaseHandle,
  type EmbeddedPostgres,
  maintainPartitions,
  migrate,
  openDatabase,
} from '../src/db/index.ts';
import { appendEvent, type EventLog, openEventLog, sampleEvent } from '../src/events/index.ts';
import { createOrganizations, format, quantile, withServer } from './support.ts';

const hour = 3_600_000;
const retention = 48 * hour;
/** What retained events are spread over: less than the retention, which goes on while they are written. */
const span = 47 * hour;
const writers = 16;
const reads = 2000;

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
  await withServer(async (server) => {
    console.log(
      `${os.availableParallelism()} cores, ${writers} writers, payloads of ${payload.length} bytes`,
    );
    await using scratch = await openBench(server, 'scratch');
    for (const count of [1, 200]) {
      const rate = await appends(scratch, count, Number(values.seconds));
      console.log(`appends, ${count} organizations`.padEnd(34), `${format(rate)} events/s`);
    }
    await using few = await openRetained(server, 'few', 10_000);
    await using many = await openRetained(server, 'many', Number(values.retained));
    // What the load left to the disk would otherwise be measured.
    await promisify(execFile)('sync');
    await comparePages(few, many);
    await size(many);
  });
}

const event = sampleEvent('sync.completed');
const payload = JSON.stringify(event);

type Bench = DatabaseHandle & AsyncDisposable;

/** A database with the partitions of a server that has run for two days. */
async function openBench(server: EmbeddedPostgres, name: string): Promise<Bench> {
  const url = await server.database(name);
  await migrate(url);
  const handle = openDatabase(url, writers);
  for (let back = 48; back >= 0; back -= 6) {
    await maintainPartitions(handle.db, retention, Date.now() - back * hour);
  }
  return { ...handle, [Symbol.asyncDispose]: handle.close };
}

async function appends({ db }: Bench, count: number, seconds: number): Promise<number> {
  const tenants = await createOrganizations(db, count);
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

interface Retained extends Bench {
  log: EventLog;
  count: number;
  organizationId: string;
  /** When the newest event was made. */
  end: number;
}

/** A log of so many events, evenly over 47 hours up to now, a tenth of them of the organization that will read. */
async function openRetained(server: EmbeddedPostgres, name: string, count: number): Promise<Retained> {
  const bench = await openBench(server, name);
  const [organizationId = ''] = await createOrganizations(bench.db, 1);
  const end = Date.now();
  for (let from = 0; from < count; from += 500_000) {
    await sql`
      insert into events (organization_id, created_at, id, type, event)
      select case when n % 10 = 0 then ${organizationId}::uuid else md5((n % 200)::text)::uuid end,
        ${new Date(end)}::timestamptz - (${count} - n) * (${span}::float8 / ${count}) * interval '1 millisecond',
        gen_random_uuid(), 'sync.completed', ${payload}
      from generate_series(${from}::int, ${Math.min(count, from + 500_000) - 1}::int) n`.execute(bench.db);
  }
  await sql`vacuum analyze events`.execute(bench.db);
  await sql`checkpoint`.execute(bench.db);
  const log = openEventLog(await server.database(name));
  return {
    ...bench,
    log,
    count,
    organizationId,
    end,
    async [Symbol.asyncDispose]() {
      await log.close();
      await bench.close();
    },
  };
}

type Read = (from: Retained) => Promise<unknown>;

/** The next page after what was there so many milliseconds before the end. */
const next =
  (before: (from: Retained) => number): Read =>
  (from) => {
    const { log, organizationId, end } = from;
    const after = new Date(end - before(from)).toISOString();
    return log.list({ organizationId, ascending: true, after, limit: 100, retention });
  };

const kinds: [name: string, read: Read][] = [
  // What the machine and the connection cost alone: the noise of the others.
  ['select 1', ({ db }) => sql`select 1`.execute(db)],
  [
    'newest 10',
    ({ log, organizationId }) => log.list({ organizationId, ascending: false, limit: 10, retention }),
  ],
  // 100 to 200 events of this organization before the end.
  ['next 100, a little behind', next(({ count }) => ((1000 + Math.random() * 1000) / count) * span)],
  ['nothing new', next(() => 0)],
  // Never so near to the end that the page would not be full.
  ['next 100, anywhere', next(() => (0.15 + Math.random() * 0.85) * span)],
];

/** Reads in turns from both: what else happens on this machine meets them alike. */
async function comparePages(few: Retained, many: Retained): Promise<void> {
  for (const [name, read] of kinds) {
    const times: [Retained, number[]][] = [
      [few, []],
      [many, []],
    ];
    // The first half warms up: pages that a load and a vacuum pushed out of memory have to come back.
    for (let n = 0; n < 2 * reads; n++) {
      for (const [from, taken] of times) {
        const started = performance.now();
        await read(from);
        if (n >= reads) taken.push(performance.now() - started);
      }
    }
    const [[p50, p99] = [], [manyP50, manyP99] = []] = times.map(([{ count }, taken]) => {
      const quantiles = [0.5, 0.99].map((share) => quantile(taken, share));
      const [half = 0, most = 0] = quantiles;
      console.log(
        `${format(count)} retained, ${name}`.padEnd(46),
        `p50 ${format(half, 2)} ms  p99 ${format(most, 2)} ms`,
      );
      return quantiles;
    });
    const ratio = (before = 1, after = 1) => format(after / before, 2);
    console.log(`ratio, ${name}`.padEnd(46), `p50 ${ratio(p50, manyP50)}     p99 ${ratio(p99, manyP99)}`);
  }
}

async function size({ db }: Bench): Promise<void> {
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
