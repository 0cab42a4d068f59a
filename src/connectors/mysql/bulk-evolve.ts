import type { Connection } from 'mysql2/promise';
import type { BulkOutput } from '../contract.ts';
import { collated, outputColumns, ownType } from './bulk-columns.ts';
import { liveOf, ownColumns, refuse } from './bulk-names.ts';
import { columnsOf } from './columns.ts';
import { identifier } from './quote.ts';
import { holds, plainType } from './target-widening.ts';

/** What the live table lacks to take the rows. */
export interface Evolution {
  /** Of ALTER TABLE. */
  actions: string[];
  /** For people. */
  changes: string[];
}

/**
 * @param before names that columns from the source had when the table was committed last.
 * @throws unprocessable when a column's type holds neither all values it has nor all that come.
 */
export async function compare(
  connection: Connection,
  output: BulkOutput,
  collation: string,
  before: readonly string[] = [],
): Promise<Evolution> {
  const table = `${output.schema}.${output.name}`;
  const live = await columnsOf(connection, { database: output.schema, name: output.name });
  const there = new Map(live.map((column) => [column.name.toLowerCase(), column]));
  const wanted = outputColumns(output);
  const evolution: Evolution = { actions: [], changes: [] };
  const refusals: string[] = [];
  for (const { name, type: to } of wanted) {
    const column = there.get(name.toLowerCase());
    const from = column === undefined ? undefined : plainType(column.type);
    const definition = `${identifier(name)} ${to}${collated(to, collation)}`;
    if (from === undefined) {
      evolution.actions.push(`add column ${definition} null`);
      evolution.changes.push(`column ${name} added as ${to}`);
    } else if (holds(from, to)) {
    } else if (holds(to, from)) {
      evolution.actions.push(`modify column ${definition}${column?.nullable ? ' null' : ' not null'}`);
      evolution.changes.push(`column ${name} widened from ${from} to ${to}`);
    } else refusals.push(`column ${name} is ${from} in ${table} and comes as ${to}`);
  }
  if (refusals.length > 0) {
    refuse(
      `${refusals.join('; ')}, and neither type holds every value of the other: run it with resync_mode rebuild`,
    );
  }
  for (const name of before) {
    const goes = !wanted.some((column) => column.name.toLowerCase() === name.toLowerCase());
    if (goes && there.has(name.toLowerCase())) {
      evolution.changes.push(`column ${name} is not in the source any more: it stays, empty in new rows`);
    }
  }
  for (const name of ownColumns(output)) {
    if (!there.has(name.toLowerCase()))
      evolution.actions.push(`add column ${identifier(name)} ${ownType} null`);
  }
  return evolution;
}

/** Commits whatever is open: MySQL has no transactions for it. A column more, or a wider one, harms nobody. */
export async function evolve(
  connection: Connection,
  output: BulkOutput,
  collation: string,
  before: readonly string[],
): Promise<string[]> {
  const { actions, changes } = await compare(connection, output, collation, before);
  if (actions.length > 0) await connection.query(`alter table ${liveOf(output)} ${actions.join(', ')}`);
  return changes;
}
