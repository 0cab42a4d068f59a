import type { OutgoingRecord } from '../contract.ts';
import type { Engine } from '../duckdb-engine/index.ts';

/** The batch under way: n (place in the batch), the identity as key, and the list of values as v. */
export const batch = 'temp.main.tm_batch';

const shape = '[{"n":"INTEGER","key":"VARCHAR","v":["VARCHAR"]}]';

export async function stageBatch(engine: Engine, records: readonly OutgoingRecord[]): Promise<void> {
  const rows = records.map(({ key, values }, n) => ({ n, key, v: values }));
  await engine.query(
    `create or replace temp table tm_batch as
       select r.n as n, r.key as key, r.v as v from (select unnest(from_json($1, '${shape}')) as r)`,
    [JSON.stringify(rows)],
  );
}
