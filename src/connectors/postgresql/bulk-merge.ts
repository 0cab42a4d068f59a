import type { Client } from 'pg';
import type { BulkOutput, Committed, LoadPlan } from '../contract.ts';
import { expectMerged, expectStaged } from './bulk-counts.ts';
import { assignments, type Changed, writeDifference } from './bulk-difference.ts';
import { alters, compare, evolve } from './bulk-evolve.ts';
import { checkWritable, findLive, lockLive } from './bulk-live.ts';
import { qualified, refuse } from './bulk-names.ts';
import { addKey, keyProblem, raise } from './bulk-stage.ts';
import { checkStanding } from './bulk-standing.ts';
import { readState } from './bulk-state.ts';

/**
 * Writes the staged rows into the live table, which keeps whatever hangs on it. Commits nothing; until the commit
 * readers see the old rows, and wait only where columns are altered or the table is emptied.
 */
export async function mergeStaged(
  client: Client,
  output: BulkOutput,
  plan: LoadPlan,
  { table: stage, rows }: { table: string; rows: number },
): Promise<Committed> {
  const state = await readState(client, output);
  const replaces = plan.mode === 'replace';
  const foreseen = await compare(client, output, stage, state);
  const against = replaces || alters(foreseen) ? 'readers' : 'writers';
  const live = (await lockLive(client, output, against)) ? await findLive(client, output) : undefined;
  if (live === undefined) {
    refuse(`${output.schema}.${output.name} was dropped while its rows were loaded: run it again`);
  }
  await checkStanding(client, output, plan);
  checkWritable(live, output);
  await addKey(client, output, stage);
  await expectStaged(client, output, stage, rows);
  await client.query(`analyze ${stage}`);
  await raise(client, 'work_mem', '64MB');
  // A few changed rows are sought by key; the default prices that as on a turning disk and reads the whole table.
  if (!replaces && plan.missing === undefined) await client.query('set local random_page_cost = 1.1');
  const changes = await evolve(client, output, await compare(client, output, stage, state));
  try {
    // TRUNCATE refuses a table that foreign keys refer to: there the difference is written.
    const counts =
      replaces && live.foreignKeys.length === 0
        ? await refill(client, output, stage)
        : await writeDifference(client, output, live, stage, replaces ? 'remove' : plan.missing);
    await expectMerged(client, output, stage, { rows, missing: replaces ? 'remove' : plan.missing });
    return { rows, ...counts, changes };
  } catch (error) {
    throw keyProblem(error, output);
  }
}

async function refill(client: Client, output: BulkOutput, stage: string): Promise<Changed> {
  const { targets, values } = await assignments(client, output);
  await client.query(`truncate ${qualified(output)}`);
  const { rowCount } = await client.query(
    `insert into ${qualified(output)} (${targets}) select ${values} from ${stage} s`,
  );
  return { inserted: rowCount ?? 0 };
}
