import type { Client } from 'pg';
import { ask } from './transaction.ts';

/** What conditions on a field have to know of it. */
export interface SourceField {
  /** Its own type's name in pg_type, e.g. `timestamptz`; a domain's base type. */
  type: string;
  nullable: boolean;
}

/** Undefined when the relation has no such column. */
export async function findField(client: Client, oid: number, name: string): Promise<SourceField | undefined> {
  const { rows } = await ask<SourceField>(
    client,
    `with recursive chain (oid, nullable) as (
       select atttypid, not attnotnull from pg_attribute
       where attrelid = $1 and attname = $2 and attnum > 0 and not attisdropped
       union all
       select d.typbasetype, nullable from chain join pg_type d on d.oid = chain.oid where d.typtype = 'd'
     )
     select t.typname as type, nullable from chain join pg_type t on t.oid = chain.oid where t.typtype <> 'd'`,
    [oid, name],
  );
  return rows[0];
}
