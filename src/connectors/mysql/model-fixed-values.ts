import type { Connection } from 'mysql2/promise';
import { BatchRefused, type FixedValue } from '../contract.ts';
import { refusalsBy } from '../fixed-values.ts';
import { type Connect, rowsOf, withConnection } from './client.ts';
import { isServerError } from './errors.ts';
import { columnOf } from './model-columns.ts';
import { fitsOf } from './model-fits.ts';
import { literalFor } from './model-literal.ts';
import { refusedOr } from './model-refused.ts';
import type { Target } from './model-target.ts';
import { identifier, literal, qualified } from './quote.ts';

/** Each value is stored in a temporary table, in a column like the target's, as the values of a batch are. */
export function refusals(connect: Connect, target: Target, values: readonly FixedValue[]) {
  return withConnection(connect, async (connection) => {
    const checks = (await hasTriggersBefore(connection, target)) ? [] : await checksOf(connection, target);
    let count = 0;
    return refusalsBy(
      values,
      { fields: target.fields, fitOf: fitsOf(target) },
      async (text, { id }, value) => {
        const staging = qualified(target.database, `_tidemark_value${count++}`);
        const column = identifier(id);
        // There are servers that want a key.
        await connection.query(`create temporary table ${staging} (_tidemark_n int not null primary key) engine = InnoDB
        select cast(0 as signed) as _tidemark_n, t.${column} from ${qualified(target.database, target.table)} t limit 0`);
        const stored = literalFor(columnOf(target, id), value.source, text);
        await connection.query(`insert into ${staging} values (1, ${stored})`).catch((error: unknown) => {
          throw refusedOr(error);
        });
        for (const check of checks) {
          if (await violates(connection, staging, check)) throw new BatchRefused(`a check wants ${check}`);
        }
      },
    );
  });
}

/** Checks are of what they make of a row. An account without TRIGGER on the table sees none. */
async function hasTriggersBefore(connection: Connection, { database, table }: Target): Promise<boolean> {
  const found = await rowsOf(
    connection,
    `select 1 from information_schema.triggers where event_object_schema = ${literal(database)}
       and event_object_table = ${literal(table)} and action_timing = 'BEFORE' and event_manipulation <> 'DELETE' limit 1`,
  );
  return found.length > 0;
}

/** A check that looks at other columns, too, says nothing of one. */
async function violates(connection: Connection, table: string, check: string): Promise<boolean> {
  try {
    return (await rowsOf(connection, `select 1 from ${table} where not (${check})`)).length > 0;
  } catch (error) {
    if (isServerError(error)) return false;
    throw error;
  }
}

/** MariaDB and MySQL keep them apart, and read each other's part as a comment. */
async function checksOf(connection: Connection, { database, table }: Target): Promise<string[]> {
  const rows = await rowsOf<{ clause: string }>(
    connection,
    `select '' as clause from dual where 1 = 0
       /*M! union all select check_clause from information_schema.check_constraints
         where constraint_schema = ${literal(database)} and table_name = ${literal(table)} */
       /*!80016 union all select c.check_clause from information_schema.check_constraints c
         join information_schema.table_constraints t using (constraint_schema, constraint_name)
         where t.enforced = 'YES' and t.table_schema = ${literal(database)} and t.table_name = ${literal(table)} */`,
  );
  return rows.map(({ clause }) => clause);
}
