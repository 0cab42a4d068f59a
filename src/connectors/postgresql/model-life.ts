import type { TargetLife } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import type { Connect } from './bulk-source.ts';
import { writable } from './model-target.ts';
import { ask } from './transaction.ts';
import { withReader } from './with-client.ts';

/** VACUUM FULL stores rows elsewhere as TRUNCATE does, so that they are counted where that has happened. */
export function targetLife(connect: Connect, object: string): Promise<TargetLife | undefined> {
  return withReader(connect, 'tidemark targets', async (client) => {
    const { rows } = await ask<{
      made: string;
      stored: string | null;
      quoted: string;
      seen: boolean;
    }>(
      client,
      `select oid::text as made, pg_relation_filenode(oid)::text as stored, quoted,
         has_table_privilege(oid, 'select') and not row_security_active(oid) as seen
       from (${writable}) t where schema = $1 and name = $2`,
      splitTableId(object),
    );
    const [table] = rows;
    if (table === undefined) return undefined;
    const { made, stored, quoted, seen } = table;
    // What cannot be seen may be full.
    const { rowCount } = seen ? await client.query(`select from ${quoted} limit 1`) : { rowCount: 1 };
    return {
      made,
      ...(stored === null ? {} : { stored }),
      isEmpty: rowCount === 0,
      rows: () =>
        withReader(connect, 'tidemark targets', async (other) => {
          if (!seen) return Number.POSITIVE_INFINITY;
          const { rows: counted } = await other.query<{ rows: string }>(
            `select count(*) as rows from ${quoted}`,
          );
          return Number(counted[0]?.rows);
        }),
    };
  });
}
