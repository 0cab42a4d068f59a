import type { TargetLife } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import type { Connect } from './bulk-source.ts';
import { writable } from './model-target.ts';
import { withReader } from './with-client.ts';

/** VACUUM FULL stores rows elsewhere as TRUNCATE does, so that they are counted where that has happened. */
export function targetLife(connect: Connect, object: string): Promise<TargetLife | undefined> {
  return withReader(connect, 'tidemark targets', async (client) => {
    const { rows } = await client.query<{
      made: string;
      stored: string | null;
      quoted: string;
      seen: boolean;
    }>(
      `select oid::text as made, pg_relation_filenode(oid)::text as stored, quoted,
         has_table_privilege(oid, 'select') and not row_security_active(oid) as seen
       from (${writable}) t where schema = $1 and name = $2`,
      splitTableId(object),
    );
    const [table] = rows;
    if (table === undefined) return undefined;
    const { made, stored, quoted, seen } = table;
    const ask = async <Row extends object>(select: string) =>
      (await client.query<Row>(select)).rows[0] as Row;
    // What cannot be seen may be full.
    const { empty } = seen
      ? await ask<{ empty: boolean }>(`select not exists (select from ${quoted}) as empty`)
      : { empty: false };
    return {
      made,
      ...(stored === null ? {} : { stored }),
      isEmpty: empty,
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
