import type { ReplacedRow } from '../contract.ts';
import { betweenUpdates, isOther } from './loose-types.ts';
import type { Columns } from './model-columns.ts';
import type { Target } from './model-destination.ts';

/** Something that happens to rows of the target. */
export interface Change {
  status: ReplacedRow['status'];
  /** A SELECT of the written columns of what it happens to, and of `tm_row`, the place of each in the target. */
  rows: string;
  /** Do it to what the SELECT gave, which is kept in the table `changed`. */
  statements: string[];
}

const [row, occurrence, content] = ['tm_row', 'tm_occurrence', 'tm_content'];

/** @param collected table of the records, `kept` that of the identities of others, `changed` see `Change`. */
export function replacementChanges(
  { table }: Target,
  { key, mapped, written }: Columns,
  { collected, kept, changed }: { collected: string; kept: string; changed: string },
): Change[] {
  const names = written.map(({ name }) => name).join(', ');
  const remove = (rows: string): Change => ({
    status: 'deleted',
    rows,
    statements: [`delete from ${table} where rowid in (select ${row} from ${changed})`],
  });
  const insert = (rows: string): Change => ({
    status: 'inserted',
    rows,
    statements: [`insert into ${table} (${names}) select ${names} from ${changed}`],
  });
  if (key === undefined) {
    // Without an identity a row is its content, and the second of two equal ones another than the first.
    const texts = written.map(({ name }) => `${name}::varchar`).join(', ');
    const numbered = (relation: string, place: string) => `(
      select *, row_number() over (partition by ${content}) as ${occurrence} from (
        select ${names}, ${place} as ${row}, to_json([${texts}])::varchar as ${content} from ${relation}))`;
    const [live, wanted] = [numbered(table, 'rowid'), numbered(collected, 'null')];
    const missing = (one: string, other: string) => `select ${names}, ${row} from ${one} a where not exists (
      select 1 from ${other} b where b.${content} = a.${content} and b.${occurrence} = a.${occurrence})`;
    return [remove(missing(live, wanted)), insert(missing(wanted, live))];
  }
  const others = mapped.filter(({ name }) => name !== key.name);
  const isKept = `exists (select 1 from ${kept} x where x.k = t.${key.name})`;
  const differs = others.map(({ name, column }) => isOther(column.typeName, `t.${name}`, `s.${name}`));
  const between = betweenUpdates(
    others.map(({ name, column: { typeName } }) => {
      return { column: name, typeName, from: `t.${name}`, to: `c.${name}` };
    }),
  );
  const update = `update ${table} as t set`;
  const changedRow = `from ${changed} c where t.rowid = c.${row}`;
  return [
    // Of rows that share an identity one stays.
    remove(`select ${names}, ${row} from (
        select ${names}, rowid as ${row}, row_number() over (partition by ${key.name} order by rowid) as ${occurrence}
        from ${table}) t
      where (${occurrence} > 1 or not exists (select 1 from ${collected} s where s.${key.name} = t.${key.name}))
        and not ${isKept}`),
    ...(others.length === 0
      ? []
      : [
          {
            status: 'updated' as const,
            rows: `select s.*, t.rowid as ${row} from ${table} t join ${collected} s on s.${key.name} = t.${key.name}
              where ${differs.join(' or ')}`,
            statements: [
              ...(between === undefined
                ? []
                : [`${update} ${between.set} ${changedRow} and ${between.where}`]),
              `${update} ${others.map(({ name }) => `${name} = c.${name}`).join(', ')} ${changedRow}`,
            ],
          },
        ]),
    insert(`select *, null as ${row} from ${collected} s
      where not exists (select 1 from ${table} t where t.${key.name} = s.${key.name})`),
  ];
}
