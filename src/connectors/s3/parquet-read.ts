import { duckdb } from '../../conditions/index.ts';
import { type Engine, literal } from '../duckdb-engine/index.ts';
import type { FileColumn } from '../file-formats/file-table.ts';

/** What DuckDB reads of a Parquet file: columns that it lacks are the same in every row. */
export async function parquetRead(
  engine: Engine,
  path: string,
  wanted: readonly FileColumn[],
  constants: ReadonlyMap<string, string> = new Map(),
): Promise<Parameters<Engine['read']>[0]> {
  const file = `read_parquet(${literal(path)})`;
  const own = new Set((await engine.columns(`select * from ${file}`)).map(({ name }) => name));
  const list = wanted.map(({ name }) => {
    if (own.has(name)) return duckdb.identifier(name);
    const constant = constants.get(name);
    return `${constant === undefined ? 'null' : literal(constant)}::varchar as ${duckdb.identifier(name)}`;
  });
  const select = `select ${list.join(', ')} from ${file}`;
  return { columns: await engine.columns(select), from: `(${select})` };
}
