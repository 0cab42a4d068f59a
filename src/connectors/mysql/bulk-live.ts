import type { Connection } from 'mysql2/promise';
import type { BulkOutput, BulkTarget, LoadPlan } from '../contract.ts';
import { outputKey, refuse } from './bulk-names.ts';
import { tokenOf } from './bulk-state.ts';
import { originOf } from './bulk-table.ts';
import { rowsOf } from './client.ts';

/** The table that is to be replaced or merged into. */
export interface LiveTable {
  type: string;
  engine: string | null;
  comment: string;
  /** What the state of it goes by; undefined where Tidemark has not written it yet. */
  token: string | undefined;
  created: string | null;
  triggers: string[];
  /** Tables whose foreign keys refer to it. */
  referrers: string[];
}

export async function findLive(connection: Connection, target: BulkTarget): Promise<LiveTable | undefined> {
  const place = [target.schema, target.name];
  const [table] = await rowsOf<Omit<LiveTable, 'token' | 'triggers' | 'referrers'>>(
    connection,
    `select table_type as type, engine, table_comment as comment, create_time as created
     from information_schema.tables where table_schema = ? and table_name = ?`,
    place,
  );
  if (table === undefined) return undefined;
  const triggers = await rowsOf<{ name: string }>(
    connection,
    `select trigger_name as name from information_schema.triggers
     where event_object_schema = ? and event_object_table = ? order by 1`,
    place,
  );
  const referrers = await rowsOf<{ name: string }>(
    connection,
    `select distinct concat(table_schema, '.', table_name) as name from information_schema.key_column_usage
     where referenced_table_schema = ? and referenced_table_name = ? order by 1`,
    place,
  );
  return {
    ...table,
    token: tokenOf(table.comment),
    triggers: triggers.map(({ name }) => name),
    referrers: referrers.map(({ name }) => name),
  };
}

/** Whether the side table takes the live one's place by a rename, and not its rows into it. */
export function swaps({ mode, truncate }: LoadPlan, live: LiveTable | undefined): boolean {
  return live === undefined || (mode === 'replace' && !truncate);
}

/** Whether the live table can take the output. Asked before the load, which may take hours, and at its end. */
export async function checkLive(
  connection: Connection,
  output: BulkOutput,
  plan: LoadPlan,
  live: LiveTable,
): Promise<void> {
  const name = `${output.schema}.${output.name}`;
  const table = { database: output.schema, name: output.name, rows: null, created: live.created };
  if ((await originOf(connection, table)) === output.origin) {
    refuse(`${name} in the destination is the source table itself: choose another schema or a table prefix`);
  }
  if (live.type !== 'BASE TABLE') refuse(`${name} exists in the destination and is not a plain table`);
  if (swaps(plan, live)) {
    const first = live.triggers[0] ?? live.referrers[0];
    if (first !== undefined) {
      const what = live.triggers.length > 0 ? 'trigger' : 'foreign key of';
      refuse(
        `${name} cannot be replaced because the ${what} ${first} hangs on it: set advanced.truncate_existing, or remove it`,
      );
    }
    return;
  }
  if (live.engine?.toLowerCase() !== 'innodb') {
    refuse(`${name} is kept by ${live.engine}, which has no transactions: run it with resync_mode rebuild`);
  }
  if (plan.mode === 'merge' || live.referrers.length > 0) await checkKeyed(connection, output);
}

/** Without a unique key one row that comes might stand for several that are there. */
async function checkKeyed(connection: Connection, output: BulkOutput): Promise<void> {
  const key = outputKey(output);
  const name = `${output.schema}.${output.name}`;
  if (key.length === 0) refuse(`${name} has no key that its rows could be told apart by`);
  const rows = await rowsOf<{ name: string; column: string }>(
    connection,
    `select index_name as name, column_name as \`column\` from information_schema.statistics
     where table_schema = ? and table_name = ? and non_unique = 0`,
    [output.schema, output.name],
  );
  const indexes = [...Map.groupBy(rows, (row) => row.name).values()];
  const sorted = JSON.stringify(key.toSorted());
  if (indexes.some((list) => JSON.stringify(list.map(({ column }) => column).toSorted()) === sorted)) return;
  refuse(`${name} has no unique index on its key (${key.join(', ')}): run it with resync_mode rebuild`);
}
