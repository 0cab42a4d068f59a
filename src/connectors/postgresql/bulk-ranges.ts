import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import type { BulkRange, BulkTable } from '../contract.ts';
import { findField } from './bulk-fields.ts';
import { findRelation, type Relation } from './bulk-table.ts';
import { identifier, literal } from './quote.ts';
import { ask } from './transaction.ts';

/** Types whose order is the same for as long as a load may take, with an exact text. */
const ordered = [
  ...['int2', 'int4', 'int8', 'numeric', 'uuid', 'text', 'varchar', 'bpchar'],
  ...['date', 'timestamp', 'timestamptz'],
];

/** Pages looked at for each range: enough to tell their sizes to a quarter or so. */
const pagesPerRange = 30;

/** Ranges of a table whose rows lie in another order than that of the key: each reads much of the whole table. */
const scatteredRanges = 8;

/** Values of the key's first column from `from` (included) to `to` (excluded); both absent at the ends. */
interface Bounds {
  column: string;
  from?: string;
  to?: string;
  /** NULLs are in this range. */
  nulls?: boolean;
}

interface Sample {
  fine: string[] | null;
  coarse: string[] | null;
  correlation: number | null;
}

/**
 * Ranges of the key's first column, with bounds taken from a sample of the table's pages. By key and not by place
 * (ctid): a row that is changed between the reads of two ranges moves, but keeps its key.
 */
export async function keyRanges(client: Client, table: BulkTable, rows: number): Promise<BulkRange[]> {
  const column = table.primaryKey[0];
  const count = Math.ceil((table.estimatedRows ?? 0) / rows);
  if (column === undefined || count < 2) return [];
  const relation = await findRelation(client, table.schemaId);
  const field = await findField(client, relation.oid, column);
  if (field === undefined || !ordered.includes(field.type)) return [];
  if (!(await canSeek(client, relation, column))) return [];
  const bounds = await sampleBounds(client, relation, column, count);
  return [undefined, ...bounds].map((from, index) => {
    const to = bounds[index];
    const nulls = from === undefined && field.nullable;
    return rangeOf({
      column,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(nulls ? { nulls } : {}),
    });
  });
}

/** Without an index every range would read the whole table. Views and foreign tables have none. */
async function canSeek(client: Client, relation: Relation, column: string): Promise<boolean> {
  const { rowCount } = await ask(
    client,
    `select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
     where i.indrelid = $1 and a.attname = $2 and i.indisvalid and i.indpred is null and m.amname = 'btree'`,
    [relation.oid, column],
  );
  return rowCount !== 0;
}

async function sampleBounds(
  client: Client,
  relation: Relation,
  column: string,
  count: number,
): Promise<string[]> {
  const percent = Math.min(100, (100 * pagesPerRange * count) / relation.pages);
  const shares = (parts: number) => Array.from({ length: parts - 1 }, (_, index) => (index + 1) / parts);
  const { rows } = await client.query<Sample>(
    `select (percentile_disc($1::float8[]) within group (order by key))::text[] as fine,
       (percentile_disc($2::float8[]) within group (order by key))::text[] as coarse, corr(place, rank) as correlation
     from (
       select key, row_number() over (order by part, at) as place, row_number() over (order by key) as rank
       from (select ${identifier(column)} as key, tableoid as part, ctid as at
         from ${relation.name} tablesample system (${percent})) sampled
       where key is not null
     ) ranked`,
    [shares(count), shares(Math.min(count, scatteredRanges))],
  );
  const [sample] = rows;
  const scattered = Math.abs(sample?.correlation ?? 1) < 0.5;
  const bounds = (scattered ? sample?.coarse : sample?.fine) ?? [];
  return [...new Set(bounds)].filter((bound) => !bound.includes('\uFFFD'));
}

/** The id names the bounds: ranges of another division of the table have other ids. */
function rangeOf(bounds: Bounds): BulkRange {
  const id = createHash('sha256').update(JSON.stringify(bounds)).digest('hex').slice(0, 16);
  return { id, bounds: { ...bounds } };
}

/** The column's own collation decides, as it did when the bounds were taken. */
export function rangeCondition({ bounds }: BulkRange): string {
  const { column, from, to, nulls } = bounds as unknown as Bounds;
  const name = identifier(column);
  const parts = [
    ...(from === undefined ? [] : [`${name} >= ${literal(from)}`]),
    ...(to === undefined ? [] : [`${name} < ${literal(to)}`]),
  ];
  return nulls ? `(${parts.join(' and ')} or ${name} is null)` : parts.join(' and ');
}
