import { DuckDBInstance } from '@duckdb/node-api';

/** Runs statements on a database file and returns the last one's rows, past the engine that connectors use. */
export async function queryDuckDB(file: string, sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(file);
  const connection = await instance.connect();
  try {
    await connection.run(`set TimeZone = 'UTC'`);
    return (await connection.runAndReadAll(sql)).getRowObjectsJson();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
