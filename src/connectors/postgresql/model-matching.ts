import type { Client } from 'pg';
import type { IdentityFunction, TargetDefinition } from '../contract.ts';
import { type Found, hostPatterns, type Resolved, resolve, separators } from '../identity-functions.ts';
import type { Column } from './model-columns.ts';
import { staging } from './model-stage.ts';

/** How rows are found whose identity is not the record's, but fits it. */
export interface Matching {
  name: Exclude<IdentityFunction, 'Equality'>;
  prepare: string;
  /** Returns what was found for every record of the batch. */
  find: string;
  /** The batch (`b`) with what was found, and the condition by which a row (`t`) is that. */
  source: string;
  matches: string;
}

/** The row that each record of the batch has: n, and its place. */
const found = 'pg_temp.tidemark_found';
const place = 't.tableoid::text || t.ctid::text';

/** Types that can be asked for more than equality. */
export function functionsOf(baseType: string): IdentityFunction[] {
  if (baseType.endsWith('[]')) return ['Equality', 'OneOf'];
  const isText = /^(text|character varying|character|citext)$/.test(baseType);
  return isText ? ['Equality', 'ISubstring', 'OneOf', 'DomainMatch', 'HostnameMatch'] : ['Equality'];
}

/** Undefined where the identity is the record's. */
export function matching(
  table: string,
  { identityFunction: name = 'Equality' }: TargetDefinition,
  key: Column | undefined,
): Matching | undefined {
  if (name === 'Equality' || key === undefined) return undefined;
  const { sought, fits } = terms(name, key);
  return {
    name,
    prepare: `create temporary table if not exists tidemark_found (n int, r text) on commit delete rows`,
    find: `select b.n, b.s as sought, count(t.tableoid)::int as rows, min(${place}) as row
      from (select n, ${sought} as s from ${staging}) b left join ${table} t on ${fits} group by 1, 2`,
    source: `${staging} b join ${found} f on f.n = b.n`,
    matches: `${place} = f.r`,
  };
}

/** What a record is looked for by, of its identity `k`; and whether a row fits that, as `b.s`. */
function terms(name: Matching['name'], key: Column): { sought: string; fits: string } {
  const text = `t.${key.name}::text`;
  if (name === 'ISubstring') {
    return { sought: `nullif(lower(k), '')`, fits: `position(b.s in lower(${text})) > 0` };
  }
  if (name !== 'OneOf') {
    const host = (value: string) => `substring(lower(${value}) from '${hostPatterns[name]}')`;
    return { sought: host('k'), fits: `${host(text)} = b.s` };
  }
  if (key.baseType.endsWith('[]')) {
    return { sought: `nullif(k, '')`, fits: `b.s = any(t.${key.name}::text[])` };
  }
  return {
    sought: `case when k <> '' and k !~ '[,;]' then k end`,
    fits: `b.s = any(regexp_split_to_array(btrim(${text}), '${separators}'))`,
  };
}

/** Within the batch's transaction, when it is staged. */
export async function findRows(client: Client, matching: Matching | undefined): Promise<Resolved> {
  if (matching === undefined) return { rows: new Map(), refused: new Map() };
  const { rows } = await client.query<Found>(matching.find);
  const resolved = resolve(matching.name, rows);
  await client.query(`insert into ${found} select * from unnest($1::int[], $2::text[])`, [
    [...resolved.rows.keys()],
    [...resolved.rows.values()],
  ]);
  return resolved;
}
