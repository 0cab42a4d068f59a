import type { Client } from 'pg';
import { TidemarkError } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';

/** First half of our advisory lock keys: "tmld". The second half is a hash of the table. */
const lockClass = 0x74_6d_6c_64;

/**
 * One load at a time per table, for as long as the transaction lasts. A session of the same execution that is
 * still in the way belongs to a worker that died, lost its connection or stalled: it is ended, so that an older
 * snapshot cannot be swapped in after ours.
 */
export async function takeTurn(client: Client, output: BulkOutput, applicationName: string): Promise<void> {
  const table = `${output.schema}.${output.name}`;
  await client.query(
    `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and a.application_name = $3 and l.pid <> pg_backend_pid()
       and l.database = (select oid from pg_database where datname = current_database())
       and l.classid = $1::int::oid and l.objid::text = (hashtext($2)::bigint & 4294967295)::text and l.objsubid = 2`,
    [lockClass, table, applicationName],
  );
  await client.query(`savepoint turn; set local lock_timeout = '10s'`);
  try {
    await client.query('select pg_advisory_xact_lock($1::int, hashtext($2))', [lockClass, table]);
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error;
    throw new TidemarkError('unprocessable', {
      reason: `Another execution is loading ${table} at this moment: give each bulk sync a schema of its own`,
    });
  }
  await client.query('set local lock_timeout = 0; release savepoint turn');
}
