import { expect, test } from 'vitest';
import { describeMariadb } from '../support/mariadb.ts';
import { copy } from './leg.ts';
import { postgresqlSystem, type Row, systems } from './systems.ts';
import { columns, edges } from './values.ts';

const pairs = Object.keys(systems).flatMap((first) => Object.keys(systems).map((second) => [first, second]));

/** What a value means, whatever form it has where a system lacks its type: zones, truth values, padding, zeros. */
function meaning(type: string, value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (type === 'boolean') return value.replace(/^t(rue)?$/, '1').replace(/^f(alse)?$/, '0');
  if (type === 'timestamptz') return value.replace(/\+00(?=$| BC)/, '');
  // It travels as the amount, without the sign of a currency.
  if (type === 'money') return meaning('numeric', value.replaceAll(/[$,]/g, ''));
  if (type === 'numeric') return value.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  // Equal in every comparison; MySQL does not keep the sign of zero.
  if (type === 'real' || type === 'double precision') return value === '-0' ? '0' : value;
  if (type === 'char(6)') return value.trimEnd();
  if (type === 'inet') return value.replace(/\/(32|128)$/, '');
  return value;
}

describeMariadb('values at the edges of every type, through every pair of systems', () => {
  test.each(pairs)(
    'PostgreSQL → %s → %s → PostgreSQL: equal, or counted by a rule',
    async (first, second) => {
      await using origin = await postgresqlSystem(edges);
      await using one = await (systems[first ?? ''] ?? postgresqlSystem)();
      await using two = await (systems[second ?? ''] ?? postgresqlSystem)();
      await using end = await postgresqlSystem();
      const warnings = [
        ...(await copy(origin.session, 'public.edges', one.session, one.target('edges'))),
        ...(await copy(one.session, one.schemaId('edges'), two.session, two.target('edges'))),
        ...(await copy(two.session, two.schemaId('edges'), end.session, end.target('edges'))),
      ];
      const counted = new Map<string, number>();
      for (const { column, count } of warnings) counted.set(column, (counted.get(column) ?? 0) + count);
      const list = ['id', ...columns.map(({ name }) => name)]
        .map((name) => `${name}::text as ${name}`)
        .join(', ');
      const select = `select ${list} from edges order by id::int`;
      const [before, after] = [await origin.query(select), await end.query(select)];
      expect(after.length).toBe(before.length);
      const changed = columns.flatMap(({ name, type }) => {
        const differing = before.filter(
          (row: Row, index: number) => meaning(type, row[name]) !== meaning(type, after[index]?.[name]),
        );
        const excess = differing.length - (counted.get(name) ?? 0);
        return excess > 0
          ? [
              `${name} ${type}: ${differing.map((row) => `${row[name]} became ${after[before.indexOf(row)]?.[name]}`).join('; ')}`,
            ]
          : [];
      });
      expect(changed.map((text) => text.slice(0, 300))).toEqual([]);
    },
  );
});
