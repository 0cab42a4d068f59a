import pg, { type Client } from 'pg';
import {
  compile,
  conditionsOf,
  type FilterField,
  type FixedExpression,
  postgresql,
} from '../../conditions/index.ts';
import { messageOf, TidemarkError } from '../../errors.ts';

/**
 * The WHERE clause of a filter; nothing without one.
 *
 * @param from what is selected from, quoted.
 * @throws invalid_field, naming the field, when a condition cannot be asked of it.
 */
export async function whereClause(
  client: Client,
  from: string,
  fields: readonly FilterField[],
  filter: FixedExpression | undefined,
): Promise<string> {
  return filter === undefined ? '' : ` where ${await filterCondition(client, from, fields, filter)}`;
}

/**
 * A filter as a condition.
 *
 * Which labels an enum has, or what an inet may look like, only the server knows. It reads each condition's
 * literals when it parses them, before it touches a row.
 *
 * @param from what is selected from, quoted.
 * @throws invalid_field, naming the field, when a condition cannot be asked of it.
 */
export async function filterCondition(
  client: Client,
  from: string,
  fields: readonly FilterField[],
  filter: FixedExpression,
): Promise<string> {
  for (const condition of conditionsOf(filter)) {
    const sql = compile(condition, fields, postgresql);
    await client.query(`select from ${from} where ${sql} limit 0`).catch((cause: unknown) => {
      throw isAboutTheValue(cause) ? refused(condition.field, cause) : cause;
    });
  }
  return compile(filter, fields, postgresql);
}

/** SQLSTATE classes: data exception; syntax error or access rule violation, e.g. an operator a type does not have. */
function isAboutTheValue(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|42)/.test(error.code ?? '');
}

function refused(field: string, cause: unknown): TidemarkError {
  return new TidemarkError(
    'invalid_field',
    { field: `filter on ${field}`, reason: messageOf(cause) },
    { cause },
  );
}
