import pg, { type Client } from 'pg';
import { messageOf, TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Field } from '../contract.ts';
import { dialects, hintAt, mostKnown, noTable, subquery, whereInQuery } from '../model-query/index.ts';
import { splitTableId, tableId } from '../table-id.ts';
import { readable } from './bulk-table.ts';
import { fieldTypeOf } from './field-type.ts';
import { rowsHidden } from './rows-hidden.ts';
import { shownType } from './shown-type.ts';
import { ask, withSystemPath } from './transaction.ts';

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
  const select = 'select * from ';
  const result = await client
    .query({ text: `${select}${from} as model limit 0`, queryMode: 'extended' } as pg.QueryConfig)
    .catch((cause: unknown) => {
      throw invalidQuery(cause, { query: text(configuration.query), before: select.length });
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

interface Asked {
  /** Milliseconds that it had. */
  timeout?: number;
  /** The user's own text, and characters of the statement before its subquery. */
  query?: string | undefined;
  before?: number;
}

/** What the server says of a query is for the user, with the place in their own text. */
export function invalidQuery(cause: unknown, { timeout, query, before = 0 }: Asked = {}): TidemarkError {
  const { code = '', position } = cause instanceof pg.DatabaseError ? cause : {};
  if (code === '57014' && timeout !== undefined) {
    return new TidemarkError(
      'invalid_query',
      { reason: `it takes longer than ${timeout / 1000} seconds` },
      { cause },
    );
  }
  const hidden = rowsHidden(cause);
  if (hidden !== undefined) return hidden;
  const place =
    query === undefined || position === undefined
      ? undefined
      : whereInQuery(query, Number(position) - 1 - before);
  const hint = query === undefined || place === undefined ? '' : hintAt(query, dialects.postgresql);
  const reason = `${place === undefined ? '' : `${place}: `}${messageOf(cause)}${hint}`;
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
  return subquery(statement, dialects.postgresql);
}

/** The path may be one that finds others' functions first. */
function relationName(client: Client, id: string): Promise<string> {
  return withSystemPath(client, () => findRelation(client, id));
}

async function findRelation(client: Client, id: string): Promise<string> {
  const { rows } = await ask<{ name: string; whole: boolean; columns: string | null }>(
    client,
    `select format('%I.%I', n.nspname, c.relname) as name, has_table_privilege(c.oid, 'select') as whole,
       (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and ${readable('false')}) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
    splitTableId(id),
  );
  const [found] = rows;
  if (found === undefined) {
    const known = await ask<{ schema: string; name: string }>(
      client,
      `select n.nspname as schema, c.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
         and has_schema_privilege(n.oid, 'usage') order by n.nspname <> 'public', 1, 2 limit ${mostKnown}`,
    );
    throw noTable(
      id,
      known.rows.map(({ schema, name }) => tableId(schema, name)),
    );
  }
  const { name, whole, columns } = found;
  return whole || columns === null ? name : `(select ${columns} from ${name})`;
}

function describeTypes(client: Client, fields: pg.FieldDef[]): Promise<Description[]> {
  return withSystemPath(client, async () => {
    const { rows } = await ask<Description>(
      client,
      `select ${shownType(client, 't.oid', 'd.modifier', 't.typnamespace')} as type, concat(t.typcategory, t.typname) as category
       from rows from (unnest($1::oid[]), unnest($2::int[])) with ordinality as d (oid, modifier, position)
       join pg_type t on t.oid = d.oid order by d.position`,
      [fields.map(({ dataTypeID }) => dataTypeID), fields.map(({ dataTypeModifier }) => dataTypeModifier)],
    );
    return rows;
  });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
