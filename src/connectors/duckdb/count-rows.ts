import type { Engine } from '../duckdb-engine/index.ts';

/** @param from what stands behind FROM. */
export async function countRows(engine: Engine, from: string): Promise<number> {
  const [row] = await engine.query<{ n: string }>(`select count(*)::varchar as n from ${from}`);
  return Number(row?.n);
}
