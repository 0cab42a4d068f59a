/**
 * DuckDB for the connectors that read or write files: `duckdb` its own, `s3` Parquet.
 *
 * ```ts
 * const engine = await openEngine({ signal });
 * // Out: any SELECT, here of a file in the engine's folder, as COPY text.
 * const from = `read_parquet(${literal(path.join(engine.folder, 'in.parquet'))})`;
 * const columns = await engine.columns(`select * from ${from}`); // `carrier` is a BulkColumn's type
 * const rows: RowStream = engine.read({ columns, from });
 * // In: COPY text as a typed SELECT, part by part.
 * const written = await loadRows(engine, table.columns, rows, (select) =>
 *   engine.run(`copy (${select}) to ${literal(file)} (format parquet)`));
 * await engine.close();
 * ```
 */
export { type Engine, type EngineOptions, type EngineRead, openEngine } from './engine.ts';
export { DuckDBError, isTrouble, isValueError } from './errors.ts';
export { loadPart, loadRows, tableColumns } from './load.ts';
export { identifier, literal } from './names.ts';
export { copyLine, nulRemoved, type ReadColumn, readRendering } from './read-types.ts';
export { LineMeasure, partHeader } from './spool.ts';
export { storage } from './write-types.ts';
