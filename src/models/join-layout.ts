import type { SourceRecord } from '../connectors/index.ts';
import { pack } from '../lib/packed-record.ts';
import type { JoinFilter, Locate } from './join-filter.ts';
import { isNumber } from './join-key.ts';
import { type JoinSide, joinKey, type Part, sidesOf } from './join-part.ts';
import type { RecordQuery } from './record-source.ts';

type Values = readonly (string | null)[];

/** How a model's records are staged for a join. */
export interface Layout {
  /** The fields that are read. */
  fields: string[];
  /** The one of them that tells records apart for the source. */
  identity: string | undefined;
  columns: Column[];
  /** How many fields are in `r`, and in `x`. */
  mapped: number;
  hashed: number;
}

interface Column {
  name: string;
  type: string;
  /** @param values of the layout's fields. */
  of(values: Values, record: Pick<SourceRecord, 'key' | 'problem'>): string | null;
}

const text = 'text collate "C"';

/**
 * Columns: `k` by which a record is found, `order_number` and `order_text` by which one of several is chosen; `r` the
 * fields of the query, `x` what it hashes if that is something else; `t1`, `t2` … by which the parts of these numbers are
 * found; `h` the answers to conditions; `record_key` where the query's identity is in this part.
 */
export function layoutsOf(
  parts: readonly Part[],
  query: RecordQuery,
  locate: Locate,
  { asked }: Pick<JoinFilter, 'asked'>,
): Layout[] {
  return parts.map((part, place) => {
    const { fields, read } = reader();
    const own = (names: readonly string[]) =>
      names.map(locate).flatMap((at) => (at.part === place ? [at.field] : []));
    const columns: Column[] = [];
    if (part.joined !== undefined) {
      const [, side] = sidesOf(parts, part);
      columns.push(keyColumn('k', side, read), ...orderColumns(part, read));
    }
    const names = own(query.fields);
    const mapped = read(names);
    columns.push({ name: 'r', type: text, of: (values) => pack(mapped(values)) });
    const changing = own(query.hashed ?? []);
    const hashed = read(changing);
    if (query.hashed !== undefined) {
      columns.push({ name: 'x', type: text, of: (values) => pack(hashed(values)) });
    }
    columns.push({ name: 'problem', type: 'text', of: (_, { problem = null }) => problem });
    for (const [child, { joined }] of parts.entries()) {
      const [side] = sidesOf(parts, parts[child] ?? part);
      if (joined?.parent === place) columns.push(keyColumn(`t${child}`, side, read));
    }
    const [identity] = query.identity === undefined ? [] : own([query.identity]);
    if (identity !== undefined) {
      read([identity]);
      columns.push({ name: 'record_key', type: text, of: (_, { key }) => key });
    }
    const { fields: tested = [], answer = () => '' } = asked[place] ?? {};
    const inTest = read(tested);
    columns.push({ name: 'h', type: 'text', of: (values) => answer(inTest(values)) });
    return {
      fields,
      identity: identity ?? fields[0],
      columns,
      mapped: names.length,
      hashed: changing.length,
    };
  });
}

type Read = (names: readonly string[]) => (values: Values) => Values;

/** Collects the fields that are read, and finds their values in a record again. */
function reader(): { fields: string[]; read: Read } {
  const fields: string[] = [];
  const read: Read = (names) => {
    for (const name of names) if (!fields.includes(name)) fields.push(name);
    const places = names.map((name) => fields.indexOf(name));
    return (values) => places.map((place) => values[place] ?? null);
  };
  return { fields, read };
}

function keyColumn(name: string, { fields, readings }: JoinSide, read: Read): Column {
  const of = read(fields);
  return { name, type: text, of: (values) => joinKey(readings, of(values)) };
}

function orderColumns({ fields, joined }: Part, read: Read): Column[] {
  const identifier = fields.find(({ name }) => name === joined?.identifier);
  if (identifier === undefined) return [];
  const of = read([identifier.name]);
  const byText: Column = {
    name: 'order_text',
    type: text,
    of: (values) => of(values)[0]?.replaceAll('\0', '') ?? null,
  };
  if (identifier.type !== 'number') return [byText];
  const number = (value: string | null = null) => (value !== null && isNumber(value) ? value : null);
  return [{ name: 'order_number', type: 'numeric', of: (values) => number(of(values)[0]) }, byText];
}
