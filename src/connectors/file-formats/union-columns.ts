import type { FileColumn } from './file-table.ts';
import { anyKind, type Kinds, typeOf } from './text-kinds.ts';

/** A column of one file. */
export interface PartColumn {
  name: string;
  /** The type that the file itself says it has; undefined where only its texts tell. */
  type?: string;
  possible?: Kinds;
  /** Written as JSON when the column is json: only a JSON file's values can be. */
  json?: boolean;
}

/** The columns of a table that all these files are parts of: by name, with types that hold every file's values. */
export function unionColumns(parts: Iterable<readonly PartColumn[]>): FileColumn[] {
  const columns = new Map<string, PartColumn>();
  for (const part of parts) {
    for (const column of part) {
      const before = columns.get(column.name);
      columns.set(column.name, before === undefined ? column : union(before, column));
    }
  }
  return [...columns.values()].map((column) => ({ name: column.name, type: partType(column) }));
}

export function partType({ type, possible = anyKind, json = false }: PartColumn): string {
  return type ?? (json ? 'json' : typeOf(possible));
}

const text = (name: string): PartColumn => ({ name, possible: 0 });

function union(one: PartColumn, other: PartColumn): PartColumn {
  const { name } = one;
  if (isUnknown(one)) return other;
  if (isUnknown(other)) return one;
  if (one.json === true || other.json === true) {
    return fromJson(one) && fromJson(other) ? { name, json: true } : text(name);
  }
  if (one.possible !== undefined && other.possible !== undefined) {
    return { ...one, possible: one.possible & other.possible };
  }
  const type = wider(partType(one), partType(other));
  return type === undefined ? text(name) : { name, type };
}

/** No value says anything. */
function isUnknown({ type, possible = anyKind, json = false }: PartColumn): boolean {
  return type === undefined && !json && possible === anyKind;
}

function fromJson({ type, json }: PartColumn): boolean {
  return type === 'json' || (type === undefined && json !== undefined);
}

const whole = ['smallint', 'integer', 'bigint', 'numeric'];
const floating = ['real', 'double precision'];

/** The type whose values' texts are those of both; undefined: text is. */
function wider(one: string, other: string): string | undefined {
  if (one === other) return one;
  const [a, b] = [one.replace(/\(.*/, ''), other.replace(/\(.*/, '')];
  for (const order of [whole, floating]) {
    if (order.includes(a) && order.includes(b)) return order[Math.max(order.indexOf(a), order.indexOf(b))];
  }
  return undefined;
}
