import type { BulkColumn, Field, TargetDefinition } from '../contract.ts';

/** Types that PostgreSQL's format_type gives and whose texts files keep as what they are. */
const own =
  /^(boolean|smallint|integer|bigint|real|double precision|numeric(\(\d+,-?\d+\))?|date|time(stamp)?(\(\d\))? with(out)? time zone|uuid|bytea|jsonb?)(\[\])*$/;

/** Types of other systems, in lower case. */
const others: readonly [name: RegExp, type: (match: RegExpExecArray) => string][] = [
  [
    /^(?:tinyint|smallint|mediumint|int|int4|int8|utinyint|usmallint|uinteger)(?:\(\d+\))?(?: unsigned)?$/,
    () => 'bigint',
  ],
  [/^bigint\(\d+\)$/, () => 'bigint'],
  [/^decimal\((\d+),(\d+)\)$/, ([, digits, scale]) => `numeric(${digits},${scale})`],
  [/^double$/, () => 'double precision'],
  [/^datetime(?:\(\d\))?$/, () => 'timestamp without time zone'],
];

/** The columns of a file, named after the model's fields. */
export function modelColumns({ fields }: TargetDefinition): BulkColumn[] {
  return fields.map(({ source }) => ({
    name: source.name,
    outputName: source.name,
    type: carrierOf(source),
    nullable: true,
  }));
}

/** The PostgreSQL type whose texts a field has; text where that is not certain. */
function carrierOf({ type, remoteType }: Field): string {
  const name = remoteType.toLowerCase();
  if (type === 'boolean') return 'boolean';
  if (own.test(name)) return name;
  for (const [pattern, carrier] of others) {
    const match = pattern.exec(name);
    if (match !== null && (type === 'number' || type === 'datetime')) return carrier(match);
  }
  return type === 'number' ? 'numeric' : 'text';
}
