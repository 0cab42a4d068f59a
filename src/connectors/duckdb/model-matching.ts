import type { IdentityFunction, TargetDefinition } from '../contract.ts';
import { type Engine, literal } from '../duckdb-engine/index.ts';
import { type Found, hostPatterns, type Resolved, resolve, separators } from '../identity-functions.ts';
import type { WrittenColumn } from './model-columns.ts';
import { batch } from './model-stage.ts';

/** How rows are found whose identity is not the record's, but fits it. */
export interface Matching {
  name: Exclude<IdentityFunction, 'Equality'>;
  /** Returns what was found for every record of the batch. */
  find: string;
}

/** Types that can be asked for more than equality. */
export function functionsOf(typeName: string): IdentityFunction[] {
  if (/\[\d*\]$/.test(typeName)) return ['Equality', 'OneOf'];
  const isText = typeName === 'VARCHAR';
  return isText ? ['Equality', 'ISubstring', 'OneOf', 'DomainMatch', 'HostnameMatch'] : ['Equality'];
}

/** Undefined where the identity is the record's. */
export function matching(
  table: string,
  { identityFunction: name = 'Equality' }: TargetDefinition,
  key: WrittenColumn | undefined,
): Matching | undefined {
  if (name === 'Equality' || key === undefined) return undefined;
  const { sought, fits } = terms(name, key);
  return {
    name,
    find: `select b.n, b.s as sought, count(t.rowid)::integer as rows, min(t.rowid)::varchar as row
      from (select n, ${sought} as s from ${batch}) b left join ${table} t on ${fits} group by 1, 2`,
  };
}

/** What a record is looked for by, of its identity `key`; and whether a row fits that, as `b.s`. */
function terms(name: Matching['name'], { name: column, column: { typeName } }: WrittenColumn) {
  const text = `t.${column}`;
  if (name === 'ISubstring') {
    return { sought: `nullif(lower(key), '')`, fits: `contains(lower(${text}), b.s)` };
  }
  if (name !== 'OneOf') {
    const host = (value: string) =>
      `nullif(regexp_extract(lower(${value}), ${literal(hostPatterns[name])}, 1), '')`;
    return { sought: host('key'), fits: `${host(text)} = b.s` };
  }
  if (typeName.endsWith(']')) {
    return { sought: `nullif(key, '')`, fits: `list_contains(${text}::varchar[], b.s)` };
  }
  return {
    sought: `if(key = '' or regexp_matches(key, '[,;]'), null, key)`,
    fits: `list_contains(regexp_split_to_array(trim(${text}), ${literal(separators)}), b.s)`,
  };
}

/**
 * Within the batch's transaction, when it is staged: gives the records of the batch the row that they have, as `r`, and
 * leaves out those that are refused.
 */
export async function findRows(engine: Engine, matching: Matching | undefined): Promise<Resolved> {
  if (matching === undefined) return { rows: new Map(), refused: new Map() };
  const resolved = resolve(matching.name, await engine.query<Found & Record<string, never>>(matching.find));
  const found = [...resolved.rows].map(([n, r]) => ({ n, r }));
  await engine.query(
    `create or replace temp table tm_batch as select b.*, f.r from ${batch} b
       left join (select unnest(from_json($1, '[{"n":"INTEGER","r":"BIGINT"}]'), recursive := true)) f on f.n = b.n
       where not list_contains(from_json($2, '["INTEGER"]'), b.n)`,
    [JSON.stringify(found), JSON.stringify([...resolved.refused.keys()])],
  );
  return resolved;
}
