import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { type Engine, identifier, literal, tableColumns } from '../duckdb-engine/index.ts';
import { checkStillThere } from '../expected-position.ts';
import { expectRows } from '../row-counts.ts';
import { checkStranger } from '../strangers.ts';
import { outputKey, ownColumns, refuse } from './bulk-names.ts';
import { countRows } from './count-rows.ts';
import { compare, evolve } from './evolve.ts';
import { checkReplaceable, checkWritable, findLive, type LiveTable } from './live-table.ts';
import { checkKey, expectMerged, insertStaged, writeDifference } from './merge.ts';
import { qualified } from './relations.ts';
import { findStanding } from './standing.ts';
import { readState } from './state.ts';

/** Whether the staged rows become the table: what is not there yet is made, whatever the mode. */
function swaps(plan: LoadPlan, live: LiveTable | undefined): live is undefined {
  return live === undefined || (plan.mode === 'replace' && !plan.truncate);
}

/**
 * Whether the load can end well, as far as that can be told before its rows are there.
 *
 * @returns whether the rows are for a table that is there.
 */
export async function checkLive(
  engine: Engine,
  output: BulkOutput,
  plan: LoadPlan,
  file: string,
): Promise<boolean> {
  const live = await findLive(engine, output);
  if (live === undefined) return false;
  checkWritable(live, output, file);
  checkStranger(output, plan, (await findStanding(engine, output, file))?.stranger);
  if (swaps(plan, live)) {
    checkReplaceable(live);
    return false;
  }
  compare(live, output, undefined);
  return true;
}

export interface StagedRows {
  /** What stands behind FROM for them. */
  staged: string;
  rows: number;
}

/** Within the transaction that commits the load. @param come with whether it is for a table that was there. */
export async function makeLive(
  engine: Engine,
  output: BulkOutput,
  plan: LoadPlan,
  file: string,
  { staged, rows, merges }: StagedRows & { merges: boolean },
): Promise<Committed> {
  checkStillThere(output, merges, await checkLive(engine, output, plan, file));
  await checkKey(engine, output, staged);
  const live = await findLive(engine, output);
  if (swaps(plan, live)) return { rows, ...(await replaceTable(engine, output, live, { staged, rows })) };
  const changes = await evolve(engine, live, compare(live, output, await readState(engine, output)));
  // DuckDB refuses to delete rows that others refer to, even where the same come back: there the difference is written.
  if (plan.mode === 'merge' || live.referrers.length > 0) {
    const missing = plan.mode === 'merge' ? plan.missing : 'remove';
    const changed = await writeDifference(engine, output, live, staged, missing);
    await expectMerged(engine, output, live, { staged, rows, missing });
    return { rows, ...changed, changes };
  }
  await engine.run(`delete from ${qualified(engine, live)}`);
  const inserted = await insertStaged(engine, output, live, staged);
  expectRows(live.id, rows, await countRows(engine, qualified(engine, live)));
  return { rows, inserted, changes };
}

async function replaceTable(
  engine: Engine,
  output: BulkOutput,
  live: LiveTable | undefined,
  { staged, rows }: StagedRows,
): Promise<Pick<Committed, 'inserted' | 'changes'>> {
  const { schema, name } = live ?? output;
  const table = qualified(engine, { schema, name });
  const key = outputKey(output).map((column) => `alter column ${identifier(column)} set not null`);
  const own = ownColumns(output).map((column) => `, ${identifier(column)} timestamptz`);
  await engine.run(`create schema if not exists ${identifier(engine.database)}.${identifier(schema)}`);
  await engine.run(`create or replace table ${table} (${tableColumns(output.columns)}${own.join('')})`);
  for (const action of key) await engine.run(`alter table ${table} ${action}`);
  if (live?.comment) await engine.run(`comment on table ${table} is ${literal(live.comment)}`);
  const made = await findLive(engine, { schema, name });
  if (made === undefined) refuse(`${schema}.${name} could not be made`);
  const inserted = await insertStaged(engine, output, made, staged);
  expectRows(made.id, rows, await countRows(engine, table));
  return { inserted, changes: [] };
}
