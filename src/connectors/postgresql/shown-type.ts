import type { Client } from 'pg';
import { ownSchemas } from './transaction.ts';

/**
 * A type's name as the role would write it, as an expression for a transaction with the system's path: that path finds types of
 * the user's in no schema, so that `format_type` names it with each.
 *
 * @param type its oid, and `schema` its namespace's, as expressions.
 */
export function shownType(client: Client, type: string, modifier: string, schema: string): string {
  const own = `array(select oid from pg_namespace where nspname = any(${ownSchemas(client)}))`;
  return `case when ${schema} = any(${own}) and ${schema} <> 'pg_catalog'::regnamespace
    then substr(format_type(${type}, ${modifier}), length(${schema}::regnamespace::text) + 2)
    else format_type(${type}, ${modifier}) end`;
}
