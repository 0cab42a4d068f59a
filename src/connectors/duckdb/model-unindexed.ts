import { BatchRefused } from '../contract.ts';
import { DuckDBError, type Engine } from '../duckdb-engine/index.ts';
import type { WrittenColumn } from './model-columns.ts';
import { batch } from './model-stage.ts';

/** Whether DuckDB has indexes for values of the column: intervals, lists and structs have none. */
export async function hasIndexes(engine: Engine, { column, name }: WrittenColumn): Promise<boolean> {
  try {
    await engine.run(`create temp table tm_indexed (${name} ${column.typeName}, unique (${name}));
      drop table tm_indexed`);
    return true;
  } catch (error) {
    if (error instanceof DuckDBError && error.kind === 'Invalid type') return false;
    throw error;
  }
}

/**
 * What a unique index would do before the batch is inserted into `collected`.
 *
 * @throws BatchRefused when two records have one value.
 */
export async function refuseRepeated(
  engine: Engine,
  collected: string,
  { column, name, value }: WrittenColumn,
): Promise<void> {
  const [repeated] = await engine.query<{ value: string }>(
    `select k::varchar as value from (select ${value} as k, count(*) as n from ${batch} b group by k) b
     where n > 1 or exists (select 1 from ${collected} c where c.${name} = b.k) limit 1`,
  );
  if (repeated !== undefined) {
    throw new BatchRefused(`${column.name}: another record has the identity ${repeated.value}, too`);
  }
}
