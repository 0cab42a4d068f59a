import { messageOf } from '../../errors.ts';
import type { BulkOutput } from '../contract.ts';
import { DuckDBError, type Engine, identifier, storage } from '../duckdb-engine/index.ts';
import { ownColumns, refuse, sameName } from './bulk-names.ts';
import type { LiveTable } from './live-table.ts';
import { qualified } from './relations.ts';
import type { CommittedState } from './state.ts';
import { holds } from './widening.ts';

/** What the live table lacks to take the staged rows. */
export interface Evolution {
  added: { name: string; type: string }[];
  widened: { name: string; from: string; to: string }[];
  /** Tidemark's own columns that are not there yet. */
  own: string[];
  /** Columns that came from the source so far and do not any more. */
  dropped: string[];
}

/** @throws unprocessable when a column's type holds neither all values it has nor all that come. */
export function compare(live: LiveTable, output: BulkOutput, state: CommittedState | undefined): Evolution {
  const evolution: Evolution = { added: [], widened: [], own: [], dropped: [] };
  const refusals: string[] = [];
  const there = (name: string) => live.columns.find((column) => sameName(column.name, name));
  for (const { outputName, type } of output.columns) {
    const to = storage(type).type;
    const column = there(outputName);
    const from = column === undefined ? undefined : plainName(column.typeName);
    if (column === undefined || from === undefined) evolution.added.push({ name: outputName, type: to });
    else if (holds(from, plainName(to))) continue;
    else if (holds(plainName(to), from)) evolution.widened.push({ name: column.name, from, to });
    else refusals.push(`column ${outputName} is ${from} in ${live.id} and ${to} in the source`);
  }
  if (refusals.length > 0) {
    refuse(
      `${refusals.join('; ')}, and neither type holds every value of the other: run it with resync_mode rebuild`,
    );
  }
  evolution.own = ownColumns(output).filter((name) => there(name) === undefined);
  evolution.dropped = (state?.columns ?? []).filter(
    (name) =>
      there(name) !== undefined && !output.columns.some(({ outputName }) => sameName(outputName, name)),
  );
  return evolution;
}

/** @returns what changed, for people. */
export async function evolve(engine: Engine, live: LiveTable, evolution: Evolution): Promise<string[]> {
  const { added, widened, own, dropped } = evolution;
  const text = (name: string) => live.columns.find((column) => column.name === name)?.text(identifier(name));
  const actions = [
    ...added.map(({ name, type }) => `add column ${identifier(name)} ${type}`),
    ...own.map((name) => `add column ${identifier(name)} timestamptz`),
    ...widened.map(({ name, to }) => {
      const using = to === 'VARCHAR' ? ` using ${text(name)}` : '';
      return `alter column ${identifier(name)} set data type ${to}${using}`;
    }),
  ];
  const changes = [
    ...added.map(({ name, type }) => `column ${name} added as ${type}`),
    ...widened.map(({ name, from, to }) => `column ${name} widened from ${from} to ${to}`),
    ...dropped.map((name) => `column ${name} is not in the source any more: it stays, empty in new rows`),
  ];
  try {
    for (const action of actions) await engine.run(`alter table ${qualified(engine, live)} ${action}`);
  } catch (error) {
    // An index or a foreign key hangs on the table.
    if (!(error instanceof DuckDBError && error.kind === 'Dependency')) throw error;
    refuse(`${changes.join('; ')}: that is what ${live.id} needs, but ${messageOf(error)}`, error);
  }
  return changes;
}

/** The names that types have in DDL and in descriptions of columns are not always the same. */
function plainName(type: string): string {
  return type.replace('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ').replace('TIME WITH TIME ZONE', 'TIMETZ');
}
