import type { Connection } from 'mysql2/promise';
import type { BulkTarget } from '../contract.ts';
import { digest, refuse, stateOf } from './bulk-names.ts';
import { rowsOf } from './client.ts';

/** Seconds to wait for another load of the same table. */
const patience = 10;

/** Entries of this token are the sessions that load, by table and execution. */
const sessionsToken = '00000000-0000-0000-0000-000000000000';

/**
 * One load at a time per table, for as long as the session lasts. Sessions of the same execution that are still in
 * the way belong to a worker that died, lost its connection or stalled: they are ended, so that an older snapshot
 * cannot be swapped in after ours. Once it is our turn, those of any other execution are forsaken, too.
 */
export async function takeTurn(
  connection: Connection,
  target: BulkTarget,
  executionId: string,
): Promise<void> {
  await endSessions(connection, target, executionId);
  const [row] = await rowsOf<{ taken: number | null }>(connection, 'select get_lock(?, ?) as taken', [
    turnName(target),
    patience,
  ]);
  if (Number(row?.taken) !== 1) {
    const table = `${target.schema}.${target.name}`;
    refuse(`Another execution is loading ${table} at this moment: give each bulk sync a schema of its own`);
  }
  await endSessions(connection, target);
}

/**
 * Lets those who take over find this session. A connection's number may be that of another one later; a lock with a
 * name that nobody else has cannot.
 */
export async function enlist(connection: Connection, target: BulkTarget, executionId: string): Promise<void> {
  const id = crypto.randomUUID();
  await connection.query('do get_lock(?, 0)', [`tidemark ${id}`]);
  await connection.query(`insert into ${stateOf(target.schema)} (token, entry, value) values (?, ?, ?)`, [
    sessionsToken,
    `${digest(target.name)} ${id}`,
    executionId,
  ]);
}

/** @param executionId undefined: of any. */
export async function endSessions(
  connection: Connection,
  target: BulkTarget,
  executionId?: string,
): Promise<void> {
  const rows = await rowsOf<{ entry: string; holder: number | null }>(
    connection,
    `select cast(entry as char) as entry, is_used_lock(concat('tidemark ', substr(entry, 18))) as holder
     from ${stateOf(target.schema)} where token = ? and entry like ? and (value = ? or ?)
       and not coalesce(is_used_lock(concat('tidemark ', substr(entry, 18))) = connection_id(), false)`,
    [sessionsToken, `${digest(target.name)} %`, executionId ?? '', executionId === undefined],
  );
  for (const { entry, holder } of rows) {
    // It may have ended on its own in the meantime.
    if (holder !== null) await connection.query(`kill ${Number(holder)}`).catch(() => {});
    await connection.query(`delete from ${stateOf(target.schema)} where token = ? and entry = ?`, [
      sessionsToken,
      entry,
    ]);
  }
}

function turnName({ schema, name }: BulkTarget): string {
  return `tidemark turn ${digest(JSON.stringify([schema, name]))}`;
}
