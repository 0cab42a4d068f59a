import {
  compile,
  conditionsOf,
  duckdb,
  type FilterField,
  type FixedExpression,
} from '../../conditions/index.ts';
import { messageOf, TidemarkError } from '../../errors.ts';
import { DuckDBError, type Engine, isValueError } from '../duckdb-engine/index.ts';

/**
 * A filter as a condition. DuckDB reads each condition's literals when it plans the statement.
 *
 * @param from what is selected from.
 * @throws invalid_field, naming the field, when a condition cannot be asked of it.
 */
export async function filterCondition(
  engine: Engine,
  from: string,
  fields: readonly FilterField[],
  filter: FixedExpression,
): Promise<string> {
  for (const condition of conditionsOf(filter)) {
    const sql = compile(condition, fields, duckdb);
    await engine.query(`select 1 from ${from} where ${sql} limit 0`).catch((cause: unknown) => {
      // Binder: a comparison that the type does not have.
      const isBinder = cause instanceof DuckDBError && cause.kind === 'Binder';
      if (!isBinder && !isValueError(cause)) throw cause;
      const field = `filter on ${condition.field}`;
      throw new TidemarkError('invalid_field', { field, reason: messageOf(cause) }, { cause });
    });
  }
  return compile(filter, fields, duckdb);
}
