import type { Looseness } from './targets.ts';

export type Random = () => number;

export const oneOf = <Item>(next: Random, items: readonly Item[]): Item => {
  const item = items[Math.floor(next() * items.length)];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
};

export const sourceTable = `drop table if exists items;
  create table items (row_id int generated always as identity, id text, value text, extra text, active boolean not null);
  insert into items (id, value, active) select 'k' || n, 'v' || n % 3, n % 4 > 0 from generate_series(1, 12) n`;

/** Identities, of which some are equal to a target that is loose about them. */
export function identity(next: Random, looseness: Looseness, trailing: boolean): string {
  const n = 1 + Math.floor(next() * 15);
  if (looseness === 'number') return next() < 0.2 ? `0${n}` : `${n}`;
  if (looseness === 'exact') return `k${n}`;
  const kind = next();
  if (kind < 0.75) return `k${n}`;
  return kind < 0.9 || !trailing ? `K${n}` : `k${n} `;
}

/** What happens in the source: records come, change, go, come back, are refused or not valid, and are mended. */
export function changes(next: Random, id: () => string): string {
  const statements = Array.from({ length: Math.floor(next() * 6) }, () => {
    const kind = next();
    const where = `where id = '${id()}'`;
    // Not the same, whatever a collation says.
    const value = oneOf(next, ['v0', 'v1', 'v2', 'new', 'New', 'new ', '']);
    if (kind < 0.3) return `update items set value = '${value}' ${where}`;
    if (kind < 0.4) return `insert into items (id, value, active) values ('${id()}', '${value}', true)`;
    if (kind < 0.5) return `delete from items ${where}`;
    if (kind < 0.6) return `update items set value = 'refused' ${where}`;
    if (kind < 0.65) return `update items set value = 'v1' where value = 'refused'`;
    if (kind < 0.7) return `update items set id = null ${where}`;
    if (kind < 0.75) return `update items set id = '${id()}' ${where}`;
    if (kind < 0.8) return `update items set extra = 'e${Math.floor(next() * 3)}' ${where}`;
    if (kind < 0.95) return `update items set active = not active ${where}`;
    return `delete from items where id is null
      or row_id in (select max(row_id) from items group by id having count(*) > 1)`;
  });
  return statements.join(';');
}

/** What others do to the target meanwhile. */
export function meddling(next: Random, id: () => string): string {
  const where = `where id = '${id()}'`;
  return next() < 0.5 ? `delete from items ${where}` : `update items set value = 'touched' ${where}`;
}
