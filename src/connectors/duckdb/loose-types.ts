/**
 * Types of which values may be equal to DuckDB and not the same (30 days and a month, 0 and -0, one moment in two
 * zones), each with two values that are not equal.
 */
const looselyEqual: [type: RegExp, one: string, other: string][] = [
  [/^(FLOAT|DOUBLE)$/, '1', '2'],
  [/^INTERVAL$/, 'interval 1 day', 'interval 2 days'],
  [/^TIME WITH TIME ZONE$/, `timetz '01:00:00+00'`, `timetz '02:00:00+00'`],
];

/** SQL for whether two values of a type are not the same. */
export function isOther(typeName: string, one: string, other: string): string {
  const isLoose = looselyEqual.some(([type]) => type.test(typeName));
  const compared = (x: string) => (isLoose ? `${x}::varchar` : x);
  return `${compared(one)} is distinct from ${compared(other)}`;
}

/** `to` is what a row `from` gives the column, both as they stand in statements. */
export interface Assignment {
  column: string;
  typeName: string;
  from: string;
  to: string;
}

/**
 * DuckDB skips an update to a value that is equal to the one there, or to the one that was there before NULL. Where
 * it is not the same, something else has to go in between: what to set, and where.
 */
export function betweenUpdates(
  assignments: readonly Assignment[],
): { set: string; where: string } | undefined {
  const doubtful = assignments.flatMap(({ column, typeName, from, to }) => {
    const found = looselyEqual.find(([type]) => type.test(typeName));
    if (found === undefined) return [];
    const [, one, other] = found;
    const where = `(${from} is null and ${to} is not null or ${from} = ${to} and ${from}::varchar <> (${to})::varchar)`;
    return [{ where, set: `${column} = if(${where}, if(${to} = ${one}, ${other}, ${one}), ${from})` }];
  });
  if (doubtful.length === 0) return undefined;
  return {
    set: doubtful.map(({ set }) => set).join(', '),
    where: `(${doubtful.map(({ where }) => where).join(' or ')})`,
  };
}
