import { messageOf } from '../errors.ts';
import { endWithClient } from '../lib/end-with-client.ts';
import { pack } from '../lib/packed-record.ts';
import { postgresql } from '../lib/sql-quoting.ts';
import { type JoinFilter, joinFilter, type Locate } from './join-filter.ts';
import { type Layout, layoutsOf } from './join-layout.ts';
import { type Joining, type Lost, partTable, stagePart } from './join-stage.ts';

/** Between the fields of one part and the next: `pack` does not use it. */
const between = postgresql.literal('\x1c');

/**
 * Joins models in temporary tables of the metadata database, so that memory here stays flat: each is read once, and of
 * it only what the query needs. Makes pg_temp.joined: record_key, hash, and in r0, r1 … the query's fields of each
 * part, packed.
 *
 * @returns of each part how many records have several partners in it, and those that could be nobody's.
 */
export async function joinInTables(
  joining: Joining,
  locate: Locate,
): Promise<{ several: number; lost: Lost | undefined }[]> {
  const { session, parts, query } = joining;
  const filter = joinFilter(query.filter, parts, locate);
  const layouts = layoutsOf(parts, query, locate, filter);
  await endWithClient(session);
  await session.query(`set jit = off; set work_mem = '64MB'; drop table if exists pg_temp.joined`);
  const { filter: _, ...unfiltered } = query;
  const read = filter.pushed === undefined ? unfiltered : { ...unfiltered, filter: filter.pushed };
  const lost: (Lost | undefined)[] = [];
  for (const [place, part] of parts.entries()) {
    const layout = layouts[place];
    if (layout === undefined) continue;
    lost[place] = await stagePart({ ...joining, query: read }, place, part, layout).catch(
      (cause: unknown) => {
        if (part.joined === undefined) throw cause;
        throw new Error(`related model ${part.joined.name}: ${messageOf(cause)}`, { cause });
      },
    );
  }
  await session.query(`create temporary table joined as ${selectJoined(joining, layouts, filter)}`);
  await session.query(`drop table ${parts.map((_, place) => partTable(place)).join(', ')}`);
  const counts = parts.map((_, place) => `count(*) filter (where several${place}) as n${place}`);
  const [row] = await session.query<Record<string, number>>(
    `select ${counts.join(', ')} from pg_temp.joined`,
  );
  return parts.map((_, place) => ({ several: row?.[`n${place}`] ?? 0, lost: lost[place] }));
}

function selectJoined(
  { parts, query }: Joining,
  layouts: readonly Layout[],
  { sql, asked }: JoinFilter,
): string {
  const owner = layouts.findIndex(({ columns }) => columns.some(({ name }) => name === 'record_key'));
  const records = layouts.map(({ mapped }, place) => orNulls(place, 'r', mapped));
  const hashed = query.hashed && layouts.map((layout, place) => orNulls(place, 'x', layout.hashed));
  const columns = [
    `hashtextextended(concat_ws(${between}, ${(hashed ?? records).join(', ')}), 0) as hash`,
    ...(owner < 0 ? [] : [`p${owner}.record_key`]),
    ...records.map((record, place) => `${record} as r${place}`),
    ...parts.map((_, place) => `${place === 0 ? 'false' : `p${place}.several`} as several${place}`),
    `coalesce(${parts.map(problemOf).join(', ')}) as problem`,
  ];
  const answers = asked.map(({ fields, answer }, place) => {
    const ofNothing = postgresql.literal(answer(fields.map(() => null)));
    return `cross join lateral (select coalesce(p${place}.h, ${ofNothing}) as h${place}) a${place}`;
  });
  const from = [`${partTable(0)} p0`, ...layouts.slice(1).map((one, index) => join(parts, one, index + 1))];
  // Of a record that is not whole nobody knows whether it fits: it is told of.
  const where =
    sql === undefined ? '' : ` where coalesce(${parts.map(problemOf).join(', ')}) is not null or ${sql}`;
  const joined = `select ${columns.join(', ')} from ${[...from, ...answers].join(' ')}${where}`;
  if (query.identity !== undefined) return joined;
  // Without an identity, the second of two equal records is another one than the first.
  return `select *, hash || '#' || row_number() over (partition by hash) as record_key from (${joined}) j`;
}

/** A packed column of a part; what it is without a partner. */
function orNulls(place: number, column: string, count: number): string {
  if (place === 0) return `p0.${column}`;
  return `coalesce(p${place}.${column}, ${postgresql.literal(pack(Array(count).fill(null)))})`;
}

function problemOf({ joined }: Joining['parts'][number], place: number): string {
  if (joined === undefined) return `p${place}.problem`;
  return `${postgresql.literal(`model ${joined.name}: `)} || p${place}.problem`;
}

/** Of several partners the smallest by its identifier; else, and of several with the same, the smallest by content. */
function join(parts: Joining['parts'], { columns }: Layout, place: number): string {
  const order = columns.map(({ name }) => `${name} nulls last`);
  return `left join (
    select distinct on (k) *, count(*) over (partition by k) > 1 as several
    from ${partTable(place)} order by ${order.join(', ')}
  ) p${place} on p${place}.k = p${parts[place]?.joined?.parent ?? 0}.t${place}`;
}
