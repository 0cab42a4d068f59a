import { sql } from 'kysely';
import type { Database, Transaction } from '../db/index.ts';
import type { JsonObject } from '../lib/json.ts';
import { notGivenOut } from '../schema/page-token.ts';

/** Entries kept per execution, and per schema of a bulk execution. */
const kept = 50;

export interface ConsoleEntry {
  /** `<milliseconds>-<n>`: sorts by time, and is the cursor that clients page with. */
  id: string;
  level: string;
  message: string;
  payload: JsonObject | null;
  timestamp: string;
}

export interface ConsoleLine {
  level: 'info' | 'warn' | 'error';
  message: string;
  payload?: JsonObject | undefined;
  schemaId?: string | undefined;
}

const cursor = /^\d{1,15}-\d{1,9}$/;

let written = 0;

export async function writeConsole(
  db: Database | Transaction,
  executionId: string,
  line: ConsoleLine,
): Promise<void> {
  // By the database's clock: a line whose writer's is behind would lie before the cursor of whoever reads already. Lines
  // of one microsecond are told apart by who wrote them, and when.
  const n = (process.pid % 1000) * 1000 + (written++ % 1000);
  const { schemaId = null, level, message, payload } = line;
  await sql`
    insert into execution_console (execution_id, id, schema_id, level, message, payload, timestamp)
    select ${executionId}, concat(floor(extract(epoch from at) * 1000)::bigint, '-',
        extract(microseconds from at)::bigint % 1000 * 1000000 + ${n}::int),
      ${schemaId}, ${level}, ${message}, ${payload === undefined ? null : JSON.stringify(payload)}, at
    from clock_timestamp() as at`.execute(db);
  const newest = db
    .selectFrom('execution_console')
    .select('id')
    .where('execution_id', '=', executionId)
    .where('schema_id', 'is not distinct from', line.schemaId ?? null)
    .orderBy('timestamp', 'desc')
    .orderBy('id', 'desc')
    .limit(kept);
  await db
    .deleteFrom('execution_console')
    .where('execution_id', '=', executionId)
    .where('schema_id', 'is not distinct from', line.schemaId ?? null)
    .where('id', 'not in', newest)
    .execute();
}

/** Oldest first; with `after`, only what was written later. */
export async function readConsole(
  db: Database,
  executionId: string,
  options: { limit?: number | undefined; after?: string | undefined; schemaId?: string | undefined },
): Promise<{ entries: ConsoleEntry[]; nextCursor: string | null }> {
  if (options.after && !cursor.test(options.after)) throw notGivenOut('after');
  let select = db
    .selectFrom('execution_console')
    .select(['id', 'level', 'message', 'payload', 'timestamp'])
    .where('execution_id', '=', executionId);
  if (options.schemaId !== undefined) select = select.where('schema_id', '=', options.schemaId);
  const rows = await select.execute();
  const entries = rows
    .map((row) => ({ ...row, payload: row.payload as JsonObject | null }))
    .sort((a, b) => compareIds(a.id, b.id))
    .filter((entry) => !options.after || compareIds(entry.id, options.after) > 0)
    .slice(0, options.limit ?? kept);
  return { entries, nextCursor: entries.at(-1)?.id ?? (options.after || null) };
}

function compareIds(a: string, b: string): number {
  const [aMs = 0, aN = 0] = a.split('-').map(Number);
  const [bMs = 0, bN = 0] = b.split('-').map(Number);
  return aMs - bMs || aN - bN;
}
