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
 * Makes the partitions of the coming days and drops those that ended more than `retention` ago.
 * Called at start-up before anything is written, and hourly after that. Safe to run concurrently.
 *
 * @param retention milliseconds. @param now milliseconds since the epoch.
 */
export async function maintainPartitions(db: Database, retention: number, now = Date.now()): Promise<void> {
  for (const table of partitioned) {
    const existing = await partitionStarts(db, table);
    const first = Math.floor((now - span) / span) * span;
    for (let start = first; start < now + ahead; start += span) {
      if (!existing.has(start)) await createPartition(db, table, start);
    }
    for (const start of existing) {
      if (start + span < now - retention) await execute(db, `drop table if exists ${nameOf(table, start)}`);
    }
  }
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
