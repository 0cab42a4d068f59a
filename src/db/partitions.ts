import { sql } from 'kysely';
import { type Database, execute } from './database.ts';

/** The log tables: partitioned by `created_at`, one partition per six hours. */
const partitioned = ['events', 'webhook_deliveries', 'webhook_attempts'] as const;

/** Room in every page, so that the change of a row touches no index. */
const updated: Record<string, string> = { webhook_deliveries: 'with (fillfactor = 75)' };

const hour = 3_600_000;
const span = 6 * hour;
/** Partitions are made this far ahead, so that a stopped maintenance job leaves days to notice. */
const ahead = 72 * hour;

/**
 * Makes the partitions of the coming days and drops those whose rows are older than `retention`. Called at start-up before
 * anything is written, and hourly after that. Safe to run concurrently.
 *
 * The time is the database's, which stamps the rows. It may be wrong, too, as where both run on one machine whose clock is
 * set back or ahead: nothing is dropped that the log itself has not left behind by `retention`, and there is room where
 * the log goes on.
 *
 * @param retention milliseconds. @param given milliseconds since the epoch, instead of the database's time.
 */
export async function maintainPartitions(db: Database, retention: number, given?: number): Promise<void> {
  const { now, newest } = await times(db, given);
  for (const table of partitioned) {
    const existing = await partitionStarts(db, table);
    for (const from of new Set([now, Math.max(now, newest ?? now)])) {
      const first = Math.floor((from - span) / span) * span;
      for (let start = first; start < from + ahead; start += span) {
        if (existing.has(start)) continue;
        await createPartition(db, table, start);
        existing.add(start);
      }
    }
    for (const start of existing) {
      if (start + span >= now - retention) continue;
      const isBehind = newest !== undefined && start + span < newest - retention;
      if (isBehind || (await isEmpty(db, nameOf(table, start)))) {
        await execute(db, `drop table if exists ${nameOf(table, start)}`);
      }
    }
  }
}

/** @returns the database's time, and that of its newest event. */
async function times(db: Database, given?: number): Promise<{ now: number; newest: number | undefined }> {
  const { rows } = await sql<{ now: number; newest: number | null }>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now,
      (extract(epoch from max(head)) * 1000)::float8 as newest from event_heads`.execute(db);
  const [read] = rows;
  if (read === undefined) throw new Error('the database has no time');
  return { now: given ?? read.now, newest: read.newest ?? undefined };
}

/** Of what another server has dropped meanwhile, too. */
async function isEmpty(db: Database, table: string): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`select to_regclass(${table}) is not null as there`.execute(
    db,
  );
  if (rows[0]?.there !== true) return true;
  const found = await sql`select from ${sql.table(table)} limit 1`.execute(db);
  return found.rows.length === 0;
}

async function partitionStarts(db: Database, table: string): Promise<Set<number>> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent = ${table}::regclass`.execute(db);
  return new Set(rows.map((row) => Number(row.name.slice(table.length + 1)) * 1000));
}

async function createPartition(db: Database, table: string, start: number): Promise<void> {
  const bound = (time: number) => `'${new Date(time).toISOString()}'`;
  await execute(
    db,
    `create table if not exists ${nameOf(table, start)} partition of ${table}
     for values from (${bound(start)}) to (${bound(start + span)}) ${updated[table] ?? ''}`,
  );
}

/** events_1764000000: the parent's name and the first second of the partition. */
function nameOf(table: string, start: number): string {
  return `${table}_${start / 1000}`;
}
