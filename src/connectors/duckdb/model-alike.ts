import type { AlikeIdentities, TargetDefinition } from '../contract.ts';
import { eachGroup } from '../identity-groups.ts';
import { type Database, withReader } from './database.ts';
import { modelColumns } from './model-columns.ts';
import type { Target } from './model-destination.ts';

/** Keys that are read at a time. */
const read = 10_000;

/** A collation is part of the column's type, and a copy of the column has it. */
export function alikeIdentities(
  database: Database,
  target: Target,
  definition: TargetDefinition,
): AlikeIdentities | undefined {
  const { key } = modelColumns(target, definition);
  if (key === undefined) return undefined;
  return async function* alike(keys) {
    const groups = await withReader(
      database,
      () => [],
      async (engine) => {
        await engine.run(`create temp table tm_keys (key varchar);
          create temp table tm_alike as select null::varchar as k, t.${key.name} as c from ${target.table} t limit 0`);
        for await (const some of keys) {
          await engine.query(`insert into tm_keys select unnest(from_json($1, '["VARCHAR"]'))`, [
            JSON.stringify(some),
          ]);
        }
        // What is no value of the type is left to whoever sends it.
        await engine.run(`insert into tm_alike select b.key, try(${key.value}) from tm_keys b`);
        const found: string[][] = [];
        let offset = 0;
        for await (const group of eachGroup(async () => {
          const rows = await engine.query<{ key: string; group: string }>(
            `select a.k as key, g.first as "group" from tm_alike a join (
               select min(k) as first, c from tm_alike where c is not null group by c having count(*) > 1) g on a.c = g.c
             order by 2, 1 limit ${read} offset ${offset}`,
          );
          offset += rows.length;
          return rows;
        }))
          found.push(group);
        return found;
      },
    );
    yield* groups;
  };
}
