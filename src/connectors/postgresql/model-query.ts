import pg, { type Client } from 'pg';
import { messageOf, TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Field } from '../contract.ts';
import { splitTableId } from '../table-id.ts';
import { readable } from './bulk-table.ts';
import { fieldTypeOf } from './field-type.ts';
import { rowsHidden } from './rows-hidden.ts';

/** What a model reads, as something that can stand behind FROM. */
export interface Relation {
  from: string;
  fields: Field[];
}

interface Description {
  type: string;
  category: string;
}

/**
 * Resolves a model's configuration: one of `table`, `view` (ids as in the catalogue) or `query`.
 *
 * The query is the user's, but it is a query: it must stand as a subquery in one statement of the extended
 * protocol, which runs no second one, and everything happens in a read-only transaction.
 *
 * @throws invalid_field when nothing is chosen, invalid_query when it does not run.
 */
export async function describeModel(client: Client, configuration: JsonObject): Promise<Relation> {
  const from = await fromClause(client, configuration);
  const result = await client
    .query({ text: `select * from ${from} as model limit 0`, queryMode: 'extended' } as pg.QueryConfig)
    .catch((cause: unknown) => {
      throw invalidQuery(cause);
    });
  const descriptions = await describeTypes(client, result.fields);
  const fields = result.fields.map(({ name }, index): Field => {
    const { type = 'text', category = 'S' } = descriptions[index] ?? {};
    return { name, type: fieldTypeOf(category), remoteType: type, nullable: true };
  });
  const names = fields.map(({ name }) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new TidemarkError('invalid_query', {
      reason: `two columns are named ${repeated}; name each one with "as"`,
    });
  }
  return { from: `${from} as model`, fields };
}

/** What the server says of a query is for the user. @param timeout milliseconds that it had. */
export function invalidQuery(cause: unknown, timeout?: number): TidemarkError {
  const canceled = cause instanceof pg.DatabaseError && cause.code === '57014' && timeout !== undefined;
  const hidden = rowsHidden(cause);
  if (hidden !== undefined) return hidden;
  const reason = canceled ? `it takes longer than ${timeout / 1000} seconds` : messageOf(cause);
  return new TidemarkError('invalid_query', { reason }, { cause });
}

async function fromClause(client: Client, configuration: JsonObject): Promise<string> {
  const { table, view, query } = configuration;
  const relation = text(table) ?? text(view);
  if (relation !== undefined) return relationName(client, relation);
  const statement = text(query);
  if (statement === undefined) {
    throw new TidemarkError('invalid_field', {
      field: 'configuration',
      reason: 'takes one of table, view or query',
    });
  }
  // The line break ends a comment that the query may end with.
  return `(\n${statement.trim().replace(/;\s*$/, '')}\n)`;
}

async function relationName(client: Client, id: string): Promise<string> {
  const { rows } = await client.query<{ name: string; whole: boolean; columns: string | null }>(
    `select format('%I.%I', n.nspname, c.relname) as name, has_table_privilege(c.oid, 'select') as whole,
       (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and ${readable('false')}) as columns
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    splitTableId(id),
  );
  const [found] = rows;
  if (found === undefined) {
    throw new TidemarkError('invalid_field', {
      field: 'configuration',
      reason: `there is no table or view ${id}`,
    });
  }
  const { name, whole, columns } = found;
  return whole || columns === null ? name : `(select ${columns} from ${name})`;
}

async function describeTypes(client: Client, fields: pg.FieldDef[]): Promise<Description[]> {
  const { rows } = await client.query<Description>(
    `select pg_catalog.format_type(t.oid, d.modifier) as type, pg_catalog.concat(t.typcategory, t.typname) as category
     from rows from (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::int[])) with ordinality as d (oid, modifier, position)
     join pg_catalog.pg_type t on t.oid = d.oid order by d.position`,
    [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)],
  );
  return rows;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
