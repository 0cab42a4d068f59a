import type { OutgoingRecord } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';

/** The batch under way: n (place in the batch), the identity as key, and the list of values as v. */
export const batch = 'temp.main.tm_batch';

/** Characters of a batch beyond which it needs more memory than usual: DuckDB holds it several times. */
const longBatch = 8 * 1024 * 1024;

const shape = '[{"n":"INTEGER","key":"VARCHAR","v":["VARCHAR"]}]';

export async function stageBatch(engine: Engine, records: readonly OutgoingRecord[]): Promise<void> {
  const rows = JSON.stringify(records.map(({ key, values }, n) => ({ n, key, v: values })));
  if (rows.length > longBatch) await engine.reserve(engine.memory + rows.length * 10);
  await engine.query(
    `create or replace temp table tm_batch as
       select r.n as n, r.key as key, r.v as v from (select unnest(from_json($1, '${shape}')) as r)`,
    [rows],
  );
}
