import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { BulkTarget } from '../contract.ts';
import { refuse } from './bulk-names.ts';
import { literal } from './quote.ts';
import { ask, begin } from './transaction.ts';

/**
 * First halves of our advisory lock keys; the second is a hash. All of them are locks of a transaction, not of a session:
 * a pooler gives the next transaction another session.
 */
const lockClasses = {
  /** Has the turn at a table. "tmld" */
  turn: 0x74_6d_6c_64,
  /** Loads a table. "tmlt" */
  table: 0x74_6d_6c_74,
  /** Loads a table for an execution. "tmle" */
  load: 0x74_6d_6c_65,
};

/** Names the sessions that load a table, for people. */
export function loadName(executionId: string, { schema, name }: BulkTarget): string {
  const table = createHash('sha256')
    .update(JSON.stringify([schema, name]))
    .digest('hex')
    .slice(0, 8);
  return `tidemark load ${executionId} ${table}`;
}

/**
 * Begins a transaction whose turn it is to load the table, as long as it lasts: there is one at a time per table.
 * Transactions of the same execution that are still in the way belong to a worker that died, lost its connection or
 * stalled: their sessions are ended, so that an older snapshot cannot be swapped in after ours. Once it is our turn, those of
 * any other execution are forsaken, too.
 */
export async function beginTurn(client: Client, target: BulkTarget, executionId: string): Promise<void> {
  await begin(client, 'write');
  await endLoads(client, target, executionId);
  await client.query(`set local lock_timeout = '10s'`);
  try {
    await client.query(
      'select pg_catalog.pg_advisory_xact_lock($1::pg_catalog.int4, pg_catalog.hashtext($2))',
      [lockClasses.turn, lockName(target)],
    );
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    const table = `${target.schema}.${target.name}`;
    refuse(
      `Another execution is loading ${table} at this moment: give each bulk sync a schema of its own`,
      error,
    );
  }
  await client.query('set local lock_timeout = 0');
  await endLoads(client, target);
  await client.query(joinLoad(target, executionId));
}

/** To be run in each transaction that stores rows of the load, so that it can be found and ended. */
export function joinLoad(target: BulkTarget, executionId: string): string {
  return [
    shareLock(lockClasses.table, lockName(target)),
    shareLock(lockClasses.load, loadName(executionId, target)),
  ].join('; ');
}

/** The turn of another table for the rest of the transaction, if it is free. */
export async function tryTurn(client: Client, target: BulkTarget): Promise<boolean> {
  const { rows } = await ask<{ taken: boolean }>(
    client,
    'select pg_try_advisory_xact_lock($1::int, hashtext($2)) as taken',
    [lockClasses.turn, lockName(target)],
  );
  return rows[0]?.taken === true;
}

/** Begins a transaction in which whatever others do in their turn at this is over. */
export async function beginAlone(client: Client, target: BulkTarget): Promise<void> {
  await begin(client, 'write');
  await client.query(
    'select pg_catalog.pg_advisory_xact_lock($1::pg_catalog.int4, pg_catalog.hashtext($2))',
    [lockClasses.turn, lockName(target)],
  );
}

/**
 * Ends the other sessions whose transactions load the table. They are found by the locks they hold: behind a pooler a
 * session that has once loaded a table may be somebody else's a moment later.
 *
 * @param executionId undefined: for whatever execution.
 */
export async function endLoads(client: Client, target: BulkTarget, executionId?: string): Promise<void> {
  const key: [number, string] =
    executionId === undefined
      ? [lockClasses.table, lockName(target)]
      : [lockClasses.load, loadName(executionId, target)];
  await ask(
    client,
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and objsubid = 2 and pid <> pg_backend_pid()
       and database = (select oid from pg_database where datname = current_database())
       and classid = $1::oid and objid = (hashtext($2)::bigint & 4294967295)::oid`,
    key,
  );
}

function shareLock(lockClass: number, name: string): string {
  return `select pg_catalog.pg_advisory_xact_lock_shared(${lockClass}, pg_catalog.hashtext(${literal(name)}))`;
}

/** Tables of every version of Tidemark take turns by this. */
function lockName({ schema, name }: BulkTarget): string {
  return `${schema}.${name}`;
}
