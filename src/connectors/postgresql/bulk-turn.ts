import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { BulkTarget } from '../contract.ts';
import { refuse } from './bulk-names.ts';

/** First half of our advisory lock keys: "tmld". The second half is a hash of the table. */
const lockClass = 0x74_6d_6c_64;

/** Names the sessions that load a table, so that those who must not do it any more can be found. */
export function loadName(executionId: string, { schema, name }: BulkTarget): string {
  const table = createHash('sha256')
    .update(JSON.stringify([schema, name]))
    .digest('hex')
    .slice(0, 8);
  return `tidemark load ${executionId} ${table}`;
}

/**
 * One load at a time per table, for as long as the session lasts or until `endTurn`. Sessions of the same execution
 * that are still in the way belong to a worker that died, lost its connection or stalled: they are ended, so that an
 * older snapshot cannot be swapped in after ours. Once it is our turn, those of any other execution are forsaken, too.
 */
export async function takeTurn(client: Client, target: BulkTarget, executionId: string): Promise<void> {
  const name = loadName(executionId, target);
  await endSessions(client, name);
  await client.query(`set lock_timeout = '10s'`);
  try {
    await waitForTurn(client, target);
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    const table = `${target.schema}.${target.name}`;
    refuse(
      `Another execution is loading ${table} at this moment: give each bulk sync a schema of its own`,
      error,
    );
  }
  await client.query('set lock_timeout = 0');
  await endSessions(client, loadName('%', target));
}

async function waitForTurn(client: Client, target: BulkTarget): Promise<void> {
  await client.query('select pg_advisory_lock($1::int, hashtext($2))', [lockClass, lockName(target)]);
}

/** The turn of another table, if nobody has it. */
export async function tryTurn(client: Client, target: BulkTarget): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>(
    'select pg_try_advisory_lock($1::int, hashtext($2)) as taken',
    [lockClass, lockName(target)],
  );
  return rows[0]?.taken === true;
}

export async function endTurn(client: Client, target: BulkTarget): Promise<void> {
  await client.query('select pg_advisory_unlock($1::int, hashtext($2))', [lockClass, lockName(target)]);
}

/**
 * Runs work of which there may be only one at a time for a table. Not a lock of the transaction: one that waited
 * within it would still see the catalogue as it was before.
 */
export async function inTurn(client: Client, target: BulkTarget, work: () => Promise<void>): Promise<void> {
  await waitForTurn(client, target);
  try {
    await work();
  } finally {
    await endTurn(client, target);
  }
}

/** @param pattern of LIKE. */
export async function endSessions(client: Client, pattern: string): Promise<void> {
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name like $1 and datname = current_database() and pid <> pg_backend_pid()`,
    [pattern],
  );
}

function lockName({ schema, name }: BulkTarget): string {
  return `${schema}.${name}`;
}
