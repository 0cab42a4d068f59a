import type { Client } from 'pg';
import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { attributesOf } from './bulk-attributes.ts';
import { expectStaged } from './bulk-counts.ts';
import { compare } from './bulk-evolve.ts';
import { checkReplaceable, checkUnbound, checkWritable, findLive, type LiveTable } from './bulk-live.ts';
import { mergeStaged } from './bulk-merge.ts';
import { qualified } from './bulk-names.ts';
import { breakOff } from './bulk-session.ts';
import { addKey } from './bulk-stage.ts';
import { checkStanding } from './bulk-standing.ts';
import { swap } from './bulk-swap.ts';
import { begin } from './transaction.ts';

/** Where rows are until they are live. */
export interface Stage {
  /** As it stands in statements. */
  table: string;
  /** Its name beside the live table, if it is there: it can take that one's place. */
  side?: string;
  rows: number;
}

/** Whether the staged rows become the table: what is not there yet is made, whatever the mode. */
export function swaps(plan: LoadPlan, live: LiveTable | undefined): boolean {
  return live === undefined || (plan.mode === 'replace' && !plan.truncate);
}

/** Whether the load can end well, as far as that can be told before its rows are there. */
export async function checkLive(
  client: Client,
  output: BulkOutput,
  plan: LoadPlan,
  live: LiveTable | undefined,
  stage: string,
): Promise<void> {
  if (live === undefined) return;
  if (swaps(plan, live)) {
    checkReplaceable(live, output);
    checkUnbound(output, await attributesOf(client, output, live.oid));
    await checkStanding(client, output, plan);
    return;
  }
  checkWritable(live, output);
  await checkStanding(client, output, plan);
  await compare(client, output, stage, undefined);
}

/** Within the transaction that commits the load. */
export async function makeLive(
  client: Client,
  output: BulkOutput,
  plan: LoadPlan,
  { table, side, rows }: Stage,
): Promise<Committed> {
  if (side === undefined || !swaps(plan, await findLive(client, output))) {
    return mergeStaged(client, output, plan, { table, rows });
  }
  await addKey(client, output, table);
  await expectStaged(client, output, table, rows);
  return { rows, inserted: rows, changes: await swap(client, output, plan, side) };
}

/**
 * Statistics of the columns, for the planner. Nobody waits for them: the rows are live, their number is known
 * from the key's build or the file's size, and where this fails autovacuum does the same a minute later.
 */
export async function analyzeAndEnd(client: Client, output: BulkOutput): Promise<void> {
  try {
    await begin(client, 'write');
    await client.query(`analyze ${qualified(output)}`);
    await client.query('commit');
    await client.end();
  } catch {
    breakOff(client);
  }
}
