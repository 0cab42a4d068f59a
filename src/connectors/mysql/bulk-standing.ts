import type { Connection } from 'mysql2/promise';
import type { BulkTarget, Standing } from '../contract.ts';
import type { LiveTable } from './bulk-live.ts';
import { positionOf } from './bulk-state.ts';
import { originOf } from './bulk-table.ts';

/** What stands under a name. What Tidemark has put there leads to its state by a token in its comment. */
export async function standingOf(
  connection: Connection,
  target: BulkTarget,
  live: LiveTable | undefined,
): Promise<Standing | undefined> {
  if (live === undefined) return undefined;
  const position = await positionOf(connection, target, live);
  if (position !== undefined) return { position };
  const kind = live.type === 'BASE TABLE' ? 'table' : live.type.toLowerCase();
  const table = { database: target.schema, name: target.name, rows: null, created: live.created };
  return { stranger: `it is a ${kind} of somebody else's`, origin: await originOf(connection, table) };
}
