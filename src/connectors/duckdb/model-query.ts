import { messageOf, TidemarkError } from '../../errors.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Field } from '../contract.ts';
import { DuckDBError, type Engine, type ReadColumn } from '../duckdb-engine/index.ts';
import { dialects, noTable, subquery } from '../model-query/index.ts';
import { fieldTypeOf } from './field-type.ts';
import { listRelations, qualified } from './relations.ts';

/** What a model reads, as something that can stand behind FROM. */
export interface ModelRelation {
  from: string;
  fields: Field[];
  columns: ReadColumn[];
}

/**
 * Resolves a model's configuration: one of `table`, `view` (ids as in the catalogue) or `query`.
 *
 * The query is the user's, but it is a query: it must stand as a subquery in one statement, on a file that was
 * opened to be read only.
 *
 * @throws invalid_field when nothing is chosen, invalid_query when it does not run.
 */
export async function describeModel(
  engine: Engine | undefined,
  configuration: JsonObject,
): Promise<ModelRelation> {
  const relation = text(configuration.table) ?? text(configuration.view);
  const query = text(configuration.query);
  if (relation === undefined && query === undefined) {
    throw invalid('takes one of table, view or query');
  }
  if (engine === undefined) throw invalid('the database file does not exist yet');
  const from =
    relation === undefined ? subquery(query ?? '', dialects.duckdb) : await relationName(engine, relation);
  const columns = await engine.columns(`select * from ${from} as model`).catch((cause: unknown) => {
    throw invalidQuery(cause);
  });
  const fields = columns.map(
    ({ name, typeName, carrier }): Field => ({
      name,
      type: fieldTypeOf(typeName),
      remoteType: typeName,
      carrier,
      nullable: true,
    }),
  );
  return { from: `${from} as model`, fields, columns };
}

/** What DuckDB says of a query is for the user; that it could not be asked is not. */
export function invalidQuery(cause: unknown): unknown {
  if (!(cause instanceof DuckDBError)) return cause;
  // The query begins on the second line of what was run, and what stands behind it is not the user's.
  const reason = messageOf(cause).replace(/\n\nLINE (\d+): ([\s\S]*)$/, (_, line, shown: string) =>
    /^\) as (model|hashed)\b/.test(shown) ? ' (at its end)' : `\n\nLINE ${Number(line) - 1}: ${shown}`,
  );
  return new TidemarkError('invalid_query', { reason }, { cause });
}

async function relationName(engine: Engine, id: string): Promise<string> {
  const relations = await listRelations(engine);
  const relation = relations.find((one) => one.id === id);
  if (relation === undefined) {
    throw noTable(
      id,
      relations.map((one) => one.id),
    );
  }
  return qualified(engine, relation);
}

function invalid(reason: string): TidemarkError {
  return new TidemarkError('invalid_field', { field: 'configuration', reason });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
