import type { Connection } from 'mysql2/promise';
import type { IdentityFunction, TargetDefinition } from '../contract.ts';
import { type Found, type Resolved, resolve } from '../identity-functions.ts';
import { rowsOf } from './client.ts';
import type { WrittenColumn } from './model-columns.ts';
import { exactText } from './model-hash.ts';
import type { Target } from './model-target.ts';
import { literal, qualified } from './quote.ts';

/** How rows are found whose identity is not the record's, but fits it. */
export interface Matching {
  name: Exclude<IdentityFunction, 'Equality'>;
  prepare: string[];
  clear: string;
  /** Returns what was found for every record of the batch. */
  find: string;
  /** Takes the row of each record. */
  keep(rows: ReadonlyMap<number, string>): string;
  /** The batch (`b`) with what was found, and the condition by which a row (`t`) is that. */
  source: string;
  matches: string;
}

/** Types that can be asked for more than equality, of tables whose rows a key tells apart. */
export function functionsOf(type: string): IdentityFunction[] {
  if (/^set\(/.test(type)) return ['Equality', 'OneOf'];
  const isText = /^(var)?char\(|text$/.test(type);
  return isText ? ['Equality', 'ISubstring', 'OneOf', 'DomainMatch', 'HostnameMatch'] : ['Equality'];
}

const binary = 'character set utf8mb4 collate utf8mb4_bin';
/** Compared as it is: the column's own collation takes é for e. */
const exact = (text: string) => `convert(${text} using utf8mb4) collate utf8mb4_bin`;

/** Undefined where the identity is the record's. */
export function matching(
  target: Target,
  staging: string,
  { identityFunction: name = 'Equality' }: TargetDefinition,
  key: WrittenColumn | undefined,
): Matching | undefined {
  if (name === 'Equality' || key === undefined) return undefined;
  const table = qualified(target.database, target.table);
  const found = qualified(target.database, '_tidemark_found');
  const parts = target.columns.filter(({ keyPosition }) => keyPosition !== null);
  // NULL where there is no row.
  const place = `concat(${parts.map((column) => `hex(${exactText(column, 't')})`).join(`, '.', `)})`;
  const { sought, fits } = terms(name, exact(`t.${key.name}`));
  return {
    name,
    prepare: [
      // What fits the column's values need not fit into it.
      `alter table ${staging} modify k longtext ${binary}`,
      `create temporary table if not exists ${found} (n bigint primary key, r longtext ${binary}) engine = InnoDB`,
    ],
    clear: `delete from ${found}`,
    find: `select b.n, b.s as sought, count(${place}) as \`rows\`, min(${place}) as \`row\`
      from (select n, ${sought} as s from ${staging}) b left join ${table} t on ${fits} group by b.n, b.s`,
    keep: (rows) =>
      `insert into ${found} values ${[...rows].map(([n, row]) => `(${n}, ${literal(row)})`).join(', ')}`,
    source: `${staging} b join ${found} f on f.n = b.n`,
    matches: `${place} = f.r`,
  };
}

/** What a record is looked for by, of its identity `k`; and whether a row with that text fits it, as `b.s`. */
function terms(name: Matching['name'], text: string): { sought: string; fits: string } {
  if (name === 'ISubstring') {
    return { sought: exact(`lower(nullif(k, ''))`), fits: `locate(b.s, lower(${text})) > 0` };
  }
  if (name === 'OneOf') {
    const list = `regexp_replace(trim(${text}), '[ ]*[,;][ ]*', ',')`;
    return { sought: exact(`if(k = '' or k regexp '[,;]', null, k)`), fits: `find_in_set(b.s, ${list}) > 0` };
  }
  const host = (value: string) => hostOf(name, value);
  return { sought: exact(host('k')), fits: `${host(text)} = b.s` };
}

/** Like `hostPatterns`: what a group found is given in other ways by MySQL and MariaDB. */
function hostOf(name: 'DomainMatch' | 'HostnameMatch', value: string): string {
  const from = name === 'DomainMatch' ? '(www[.])?' : '';
  const rest = `regexp_replace(lower(${value}), '^[[:space:]]*([a-z][a-z0-9+.-]*://|//|mailto:)?([^/?#]*@)?${from}', '')`;
  return `nullif(regexp_substr(${rest}, '^[^/?#:@[:space:]]+'), '')`;
}

/** Within the batch's transaction, when it is staged. */
export async function findRows(connection: Connection, matching: Matching | undefined): Promise<Resolved> {
  if (matching === undefined) return { rows: new Map(), refused: new Map() };
  const found = await rowsOf<Record<keyof Found, string | null>>(connection, `${matching.find} for update`);
  const resolved = resolve(
    matching.name,
    found.map(({ n, sought, rows, row }) => ({ n: Number(n), sought, rows: Number(rows), row })),
  );
  await connection.query(matching.clear);
  if (resolved.rows.size > 0) await connection.query(matching.keep(resolved.rows));
  return resolved;
}
